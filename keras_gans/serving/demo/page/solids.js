// Models that make solids of a seed: shaded previews, one of them to be turned.

import { askJson, copy, latest } from "./demo.js";
import { addBar, addFormats, addTiles } from "./grid.js";
import { makeStage } from "./stage.js";

export function showSolids(place, model, base) {
  const [content, parts] = copy("solids");
  place.append(content);
  const stage = makeStage(parts.stage);
  let made = null; // what the server sent: seeds, images
  let chosen = null; // a seed

  const tiles = addTiles(parts.grid, "Solid", pick);
  const links = addFormats(stage.links, model, base);
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
    const still = made.images[Math.max(0, made.seeds.indexOf(seed))];
    await stage.look(`Solid of seed ${seed}`, still, `${base}/mesh?${query}`);
  });

  bar.start();
  return () => {
    bar.stop();
    stage.stop();
  };
}
