// Models that make clips of a seed: they play in a grid, one of them large.

import { askJson, copy, latest } from "./demo.js";
import { addBar, addFormats, addTiles } from "./grid.js";

export function showClips(place, model, base) {
  const [content, parts] = copy("clips");
  place.append(content);
  let made = null; // what the server sent: seeds, images, clips
  let chosen = null; // a seed
  let plays = !matchMedia("(prefers-reduced-motion: reduce)").matches;

  const tiles = addTiles(parts.grid, "Clip", choose);
  const links = addFormats(parts.links, model, base);
  const bar = addBar(parts.bar, model, latest(async () => {
    made = await askJson(`${base}/samples?${bar.query()}`);
    draw();
    choose(made.seeds.includes(chosen) ? chosen : made.seeds[0]);
  }));

  function draw() {
    tiles.draw({ seeds: made.seeds, images: plays ? made.clips : made.images });
    parts.play.textContent = plays ? "Pause" : "Play";
  }

  function choose(seed) {
    chosen = seed;
    const i = made.seeds.indexOf(seed);
    tiles.press(seed);
    parts.image.src = plays ? made.clips[i] : made.images[i];
    parts.image.alt = parts.name.textContent = `Clip of seed ${seed}`;
    links.set(seed, bar.query({ seed }));
  }

  parts.play.addEventListener("click", () => {
    plays = !plays;
    draw();
    choose(chosen);
  });
  bar.start();
  return bar.stop;
}
