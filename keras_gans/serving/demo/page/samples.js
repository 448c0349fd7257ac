// Models that make pictures of a seed: a grid, two chosen ones, a walk.

import { askJson, copy, latest, number, tell } from "./demo.js";

const COUNT = 24;
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
  let seed = 0;
  let made = null; // what the server sent: seeds, images, scores
  let chosen = []; // one seed, or two
  let frames = [];
  let place_ = 0;
  let timer = null;

  // --- What is asked for ---

  function inputs() {
    const query = new URLSearchParams();
    if (model.classes) query.set("label", parts.class.value);
    if (model.truncation) query.set("truncation", parts.truncation.value);
    if (model.text) query.set("text", parts.text.value);
    return query;
  }

  const update = latest(async () => {
    const query = inputs();
    query.set("seed", seed);
    query.set("n", COUNT);
    made = await askJson(`${base}/samples?${query}`);
    draw();
    choose(chosen.filter((one) => made.seeds.includes(one)));
  });

  function draw() {
    const tiles = [...parts.grid.children];
    made.seeds.forEach((one, i) => {
      const tile = tiles[i] || newTile();
      tile.dataset.seed = one;
      tile.setAttribute("aria-label", `Sample of seed ${one}`);
      tile.querySelector("img").src = made.images[i];
      tile.querySelector(".number").textContent = one;
    });
  }

  function newTile() {
    const tile = document.createElement("button");
    tile.type = "button";
    tile.className = "tile";
    const image = document.createElement("img");
    image.alt = "";
    const name = document.createElement("span");
    name.className = "place";
    const count = document.createElement("span");
    count.className = "number";
    tile.append(image, name, count);
    tile.addEventListener("click", () => pick(Number(tile.dataset.seed)));
    parts.grid.append(tile);
    return tile;
  }

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
    const query = inputs();
    query.set("seed", one);
    let found;
    try {
      found = await askJson(`${base}/nearest?${query}`);
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
    const query = inputs();
    query.set("seeds", chosen.join(","));
    query.set("frames", FRAMES);
    for (const name of ["gif", "mp4"]) parts[name].href = `${base}/walk.${name}?${query}`;
    const { images } = await askJson(`${base}/walk?${query}`);
    frames = await Promise.all(images.map(load));
    paint();
  });

  // Links are asked for by hand, so that an error is shown on the page.
  for (const name of ["gif", "mp4"]) {
    parts[name].addEventListener("click", async (event) => {
      event.preventDefault();
      if (!parts[name].href) return;
      try {
        const answer = await fetch(parts[name].href);
        if (!answer.ok) throw new Error((await answer.json()).error);
        const link = document.createElement("a");
        link.href = URL.createObjectURL(await answer.blob());
        link.download = `walk-${chosen.join("-")}.${name}`;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      } catch (error) {
        tell(error);
      }
    });
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

  // --- Controls ---

  function go(to) {
    seed = Math.min(Math.max(0, Math.floor(to) || 0), Number(parts.seed.max));
    parts.seed.value = seed;
    parts.slider.value = seed;
    update();
  }

  parts.slider.addEventListener("input", () => go(Number(parts.slider.value)));
  parts.seed.addEventListener("change", () => go(Number(parts.seed.value)));
  parts.shuffle.addEventListener("click", () => go(COUNT * Math.floor(100 * Math.random())));
  if (model.classes) {
    parts["class-box"].hidden = false;
    model.classes.forEach((name, i) => parts.class.add(new Option(name, i)));
    parts.class.addEventListener("change", update);
  }
  if (model.text) {
    parts["text-box"].hidden = false;
    parts.text.addEventListener("change", update);
  }
  if (model.truncation) {
    parts["truncation-box"].hidden = false;
    parts.truncation.addEventListener("input", () => {
      parts["truncation-value"].textContent = Number(parts.truncation.value).toFixed(2);
      update();
    });
  }
  const view = document.getElementById("view");
  view.addEventListener("newer", update);
  update();
  play(!matchMedia("(prefers-reduced-motion: reduce)").matches);
  return () => {
    play(false);
    view.removeEventListener("newer", update);
  };
}
