// What models share whose samples are made of a seed: the bar, the tiles, the files.

import { ask, copy, tell } from "./demo.js";

/**
 * The bar above samples: their first seed, and what else the generator takes.
 *
 * `update` is called whenever something is changed. `query(more)` is what to ask for:
 * all samples, or those that `more` names.
 */
export function addBar(spot, model, update) {
  const [content, parts] = copy("bar");
  spot.replaceWith(content);
  const view = document.getElementById("view");
  let seed = 0;
  parts.slider.step = model.count;
  parts.slider.max = 99 * model.count;
  parts.seed.max = 2 ** 31 - 1 - model.count;

  function query(more = { seed, n: model.count }) {
    const words = new URLSearchParams();
    if (model.classes) words.set("label", parts.class.value);
    if (model.truncation) words.set("truncation", parts.truncation.value);
    if (model.text) words.set("text", parts.text.value);
    for (const [name, value] of Object.entries(more)) words.set(name, value);
    return words;
  }

  function go(to) {
    seed = Math.min(Math.max(0, Math.floor(to) || 0), Number(parts.seed.max));
    parts.seed.value = seed;
    parts.slider.value = seed;
    update();
  }

  parts.slider.addEventListener("input", () => go(Number(parts.slider.value)));
  parts.seed.addEventListener("change", () => go(Number(parts.seed.value)));
  parts.shuffle.addEventListener("click", () =>
    go(model.count * Math.floor(100 * Math.random())),
  );
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
  return {
    query,
    start() {
      view.addEventListener("newer", update);
      update();
    },
    stop: () => view.removeEventListener("newer", update),
  };
}

/** A grid of a tile for each sample; `pick` gets the seed of one that is chosen. */
export function addTiles(grid, what, pick = () => {}) {
  function add() {
    const tile = document.createElement("button");
    tile.type = "button";
    tile.className = "tile";
    const image = document.createElement("img");
    image.alt = "";
    const place = document.createElement("span");
    place.className = "place";
    place.hidden = true;
    const number = document.createElement("span");
    number.className = "number";
    tile.append(image, place, number);
    tile.addEventListener("click", () => pick(Number(tile.dataset.seed)));
    grid.append(tile);
    return tile;
  }

  return {
    draw({ seeds, images }) {
      seeds.forEach((seed, i) => {
        const tile = grid.children[i] || add();
        tile.dataset.seed = seed;
        tile.setAttribute("aria-label", `${what} of seed ${seed}`);
        tile.querySelector("img").src = images[i];
        tile.querySelector(".number").textContent = seed;
      });
    },
    /** Marks the one that is chosen. */
    press(seed) {
      for (const tile of grid.children) {
        tile.setAttribute("aria-pressed", String(Number(tile.dataset.seed) === seed));
      }
    },
  };
}

/** Saves what a link names; asked for by hand, so that an error is shown on the page. */
export function saveBy(link, nameOf, options = () => undefined) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    if (!link.href) return;
    try {
      const answer = await ask(link.href, options());
      const made = document.createElement("a");
      made.href = URL.createObjectURL(await answer.blob());
      made.download = nameOf();
      made.click();
      setTimeout(() => URL.revokeObjectURL(made.href), 1000);
    } catch (error) {
      tell(error);
    }
  });
}

/** A link for each format that a sample is saved as; `set` names the sample. */
export function addFormats(place, model, base) {
  let seed = null;
  const links = model.formats.map((format) => {
    const link = document.createElement("a");
    link.textContent = format.toUpperCase();
    saveBy(link, () => `seed-${seed}.${format}`);
    place.append(link, " ");
    return link;
  });
  return {
    set(now, query) {
      seed = now;
      links.forEach((link, i) => {
        link.href = `${base}/sample.${model.formats[i]}?${query}`;
      });
    },
  };
}
