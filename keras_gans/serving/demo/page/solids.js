// Models that make solids of a seed: shaded previews, one of them to be turned.

import { ask, askJson, copy, latest, number } from "./demo.js";
import { addBar, addFormats, addTiles } from "./grid.js";
import { makeViewer } from "./viewer.js";

export function showSolids(place, model, base) {
  const [content, parts] = copy("solids");
  place.append(content);
  const viewer = makeViewer(parts.canvas);
  let made = null; // what the server sent: seeds, images
  let chosen = null; // a seed

  const tiles = addTiles(parts.grid, "Solid", pick);
  const links = addFormats(parts.links, model, base);
  const bar = addBar(parts.bar, model, latest(async () => {
    made = await askJson(`${base}/samples?${bar.query()}`);
    tiles.draw(made);
    pick(made.seeds.includes(chosen) ? chosen : made.seeds[0]);
  }));

  function pick(seed) {
    chosen = seed;
    tiles.press(seed);
    const query = bar.query({ seed });
    links.set(seed, query);
    look(seed, query);
  }

  const look = latest(async (seed, query) => {
    const name = `Solid of seed ${seed}`;
    let faces = 0;
    let problem = "";
    try {
      if (!viewer) throw new Error("This browser has no WebGL: solids do not turn here.");
      const answer = await ask(`${base}/sample.glb?${query}`);
      faces = viewer.show(await answer.arrayBuffer());
    } catch (error) {
      problem = error.message;
    }
    parts.problem.textContent = problem;
    parts.problem.hidden = !problem;
    parts.canvas.hidden = Boolean(problem);
    parts.still.hidden = !problem;
    parts.still.src = made.images[Math.max(0, made.seeds.indexOf(seed))];
    parts.still.alt = name;
    parts.name.textContent = problem ? name : `${name}, ${number(faces)} triangles`;
    parts.canvas.setAttribute("aria-label", `${name}, to be turned`);
  });

  function spin(on) {
    viewer?.spin(on);
    parts.spin.setAttribute("aria-pressed", String(on));
  }
  parts.spin.addEventListener("click", () =>
    spin(parts.spin.getAttribute("aria-pressed") === "false"),
  );
  parts.canvas.addEventListener("pointerdown", () => spin(false));
  parts.reset.addEventListener("click", () => {
    spin(false);
    viewer?.reset();
  });
  for (const name of ["spin", "reset"]) parts[name].disabled = !viewer;
  bar.start();
  spin(Boolean(viewer) && !matchMedia("(prefers-reduced-motion: reduce)").matches);
  return () => {
    bar.stop();
    viewer?.stop();
  };
}
