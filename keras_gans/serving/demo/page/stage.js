// The card of a solid that is turned: its mesh, or a picture of it where there is none.

import { ask, copy, number } from "./demo.js";
import { makeViewer } from "./viewer.js";

/** Puts the card into a place. */
export function makeStage(place) {
  const [content, parts] = copy("stage");
  place.append(content);
  const viewer = makeViewer(parts.canvas);

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
  spin(Boolean(viewer) && !matchMedia("(prefers-reduced-motion: reduce)").matches);

  return {
    links: parts.links,
    /** Shows the mesh of an address, or says why it cannot, beside a picture. */
    async look(name, still, ...asked) {
      let told = name;
      let problem = "";
      try {
        if (!viewer) throw new Error("This browser has no WebGL: solids do not turn here.");
        const answer = await ask(...asked);
        const faces = viewer.show(await answer.arrayBuffer());
        told = `${name}, ${number(faces)} triangles`;
        const times = Number(answer.headers.get("x-coarser"));
        if (times > 1) {
          told += `: all of its triangles would be too many here, so each ${times} voxels`
            + " along an axis are drawn as one. Files hold all.";
        }
      } catch (error) {
        problem = error.message;
      }
      parts.problem.textContent = problem;
      parts.problem.hidden = !problem;
      parts.canvas.hidden = Boolean(problem);
      parts.still.hidden = !problem;
      parts.still.src = still;
      parts.still.alt = name;
      parts.name.textContent = told;
      parts.canvas.setAttribute("aria-label", `${name}, to be turned`);
    },
    stop: () => viewer?.stop(),
  };
}
