// Models that make pictures of a seed: a grid, two chosen ones, a walk.

import { askJson, copy, latest, number } from "./demo.js";
import { addBar, addTiles, saveBy } from "./grid.js";

const FRAMES = 48;
const RATE = 20; // frames a second

const load = (address) =>
  new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => fail(new Error("A picture cannot be shown."));
    image.src = address;
  });

export function showSamples(place, model, base) {
  const [content, parts] = copy("samples");
  place.append(content);
  const film = parts.film.getContext("2d");
  let made = null; // what the server sent: seeds, images, scores
  let chosen = []; // one seed, or two
  let frames = [];
  let place_ = 0;
  let timer = null;

  const update = latest(async () => {
    made = await askJson(`${base}/samples?${bar.query()}`);
    tiles.draw(made);
    choose(chosen.filter((one) => made.seeds.includes(one)));
  });
  const tiles = addTiles(parts.grid, "Sample", pick);
  const bar = addBar(parts.bar, model, update);

  // --- What is chosen ---

  function pick(one) {
    if (chosen.includes(one)) {
      chosen = chosen.length > 1 ? chosen.filter((other) => other !== one) : chosen;
    } else {
      chosen = chosen.length < 2 ? [...chosen, one] : [chosen[1], one];
    }
    choose(chosen);
  }

  function choose(seeds) {
    chosen = seeds;
    if (!chosen.length) chosen = [made.seeds[0], made.seeds[7]];
    for (const tile of parts.grid.children) {
      const at = chosen.indexOf(Number(tile.dataset.seed));
      tile.setAttribute("aria-pressed", String(at >= 0));
      tile.dataset.place = at < 0 ? "" : "AB"[at];
      const badge = tile.querySelector(".place");
      badge.hidden = at < 0;
      badge.textContent = at < 0 ? "" : "AB"[at];
    }
    look(chosen.at(-1));
    walk();
  }

  function look(one) {
    const i = made.seeds.indexOf(one);
    parts.chosen.src = made.images[i];
    parts.chosen.alt = `Sample of seed ${one}`;
    parts["chosen-name"].textContent = `seed ${one}`;
    parts["score-box"].hidden = !made.scores || made.scores[i] === null;
    if (!parts["score-box"].hidden) {
      const score = made.scores[i];
      const share = score >= 0 && score <= 1;
      parts.meter.hidden = !share;
      parts.meter.value = share ? score : 0;
      parts.score.textContent = share
        ? `${Math.round(100 * score)} % real`
        : score.toFixed(2);
    }
    if (model.nearest) near(one);
  }

  const near = latest(async (one) => {
    let found;
    try {
      found = await askJson(`${base}/nearest?${bar.query({ seed: one })}`);
    } catch {
      model.nearest = false; // what it was trained on is not here
      return;
    }
    if (one !== chosen.at(-1)) return;
    parts.nearest.src = found.image;
    parts.nearest.alt = "The training picture that is nearest";
    parts["nearest-box"].hidden = false;
    parts["nearest-note"].hidden = false;
    parts["nearest-note"].textContent =
      `Nearest by pixels, of ${number(found.count)} training pictures.`;
  });

  // --- The walk ---

  const walk = latest(async () => {
    const ready = chosen.length === 2;
    parts["walk-name"].textContent = ready
      ? `From seed ${chosen[0]} to seed ${chosen[1]} and back`
      : "Choose a second picture.";
    for (const name of ["play", "scrub"]) parts[name].disabled = !ready;
    for (const name of ["gif", "mp4"]) parts[name].removeAttribute("href");
    if (!ready) return;
    const query = bar.query({ seeds: chosen.join(","), frames: FRAMES });
    for (const name of ["gif", "mp4"]) parts[name].href = `${base}/walk.${name}?${query}`;
    const { images } = await askJson(`${base}/walk?${query}`);
    frames = await Promise.all(images.map(load));
    paint();
  });

  for (const name of ["gif", "mp4"]) {
    saveBy(parts[name], () => `walk-${chosen.join("-")}.${name}`);
  }

  function paint() {
    const frame = frames[place_ % Math.max(1, frames.length)];
    if (!frame) return;
    film.imageSmoothingQuality = "high";
    film.drawImage(frame, 0, 0, parts.film.width, parts.film.height);
    parts.scrub.value = place_;
  }

  function play(on) {
    clearInterval(timer);
    timer = on
      ? setInterval(() => {
          place_ = (place_ + 1) % FRAMES;
          paint();
        }, 1000 / RATE)
      : null;
    parts.play.textContent = on ? "Pause" : "Play";
  }

  parts.play.addEventListener("click", () => play(!timer));
  parts.scrub.addEventListener("input", () => {
    play(false);
    place_ = Number(parts.scrub.value);
    paint();
  });

  bar.start();
  play(!matchMedia("(prefers-reduced-motion: reduce)").matches);
  return () => {
    play(false);
    bar.stop();
  };
}
