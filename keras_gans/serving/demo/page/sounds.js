// Models that make sounds of a seed: pads, played by keys of the keyboard.

import { askJson, copy, latest, tell } from "./demo.js";
import { addBar, addTiles } from "./grid.js";
import { outline, play, readSound, wake } from "./waves.js";

const SVG = "http://www.w3.org/2000/svg";
// By their place on the keyboard: four rows of four, as the pads are.
const CODES = ["1234", "QWER", "ASDF", "ZXCV"].flatMap((row) =>
  [...row].map((letter) => (letter > "9" ? `Key${letter}` : `Digit${letter}`)),
);
const TYPED = "input[type=text], input[type=number], select, textarea";

export function showSounds(place, model, base) {
  const [content, parts] = copy("sounds");
  place.append(content);
  if (matchMedia("(pointer: coarse)").matches) parts.hint.textContent = "Touch the pads.";
  const names = CODES.map((code) => code.at(-1)); // of the keys
  let made = null; // what the server sent: seeds, images, sounds
  let buffers = [];
  let chosen = 0; // the place of a pad

  const tiles = addTiles(parts.grid, "Sound");
  const bar = addBar(parts.bar, model, latest(update));

  async function update() {
    made = await askJson(`${base}/samples?${bar.query()}`);
    buffers = made.sounds.map(readSound);
    tiles.draw(made);
    [...parts.grid.children].forEach(dress);
    look(chosen);
  }

  /** Makes a pad of a tile. */
  function dress(pad, i) {
    if (!pad.classList.contains("pad")) {
      pad.classList.add("pad");
      const svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("class", "wave");
      svg.setAttribute("viewBox", "0 0 400 100");
      svg.setAttribute("preserveAspectRatio", "none");
      svg.setAttribute("aria-hidden", "true");
      svg.append(document.createElementNS(SVG, "path"));
      pad.append(svg, document.createElement("kbd"));
      pad.addEventListener("pointerdown", (event) => event.button || hit(i));
      // By keys or a screen reader; a pointer was heard as it came down, and the first
      // touch of a page as it goes up.
      pad.addEventListener("click", (event) => (event.detail ? wake() : hit(i)));
    }
    pad.querySelector("path").setAttribute("d", outline(buffers[i]));
    name(pad, i);
  }

  function name(pad, i) {
    pad.querySelector("kbd").textContent = names[i];
    pad.setAttribute("aria-keyshortcuts", names[i]);
    pad.setAttribute("aria-label", `Sound of seed ${made.seeds[i]}, key ${names[i]}`);
  }

  function hit(i) {
    if (!buffers[i]) return;
    try {
      play(buffers[i], Number(parts.volume.value));
    } catch (error) {
      tell(error);
    }
    const pad = parts.grid.children[i];
    pad.classList.add("on");
    clearTimeout(pad.timer);
    pad.timer = setTimeout(() => pad.classList.remove("on"), 1000 * buffers[i].duration);
    look(i);
  }

  function look(i) {
    chosen = i;
    tiles.press(made.seeds[i]);
    parts.image.src = made.images[i];
    parts.image.alt = `Spectrogram of the sound of seed ${made.seeds[i]}`;
    parts.wave.setAttribute("d", outline(buffers[i]));
    parts.name.textContent =
      `seed ${made.seeds[i]} · key ${names[i]} · ${buffers[i].duration.toFixed(2)} s`;
    parts.save.href = made.sounds[i];
    parts.save.download = `seed-${made.seeds[i]}.wav`;
    parts.play.disabled = false;
  }

  function pressed(event) {
    const i = CODES.indexOf(event.code);
    const other = event.ctrlKey || event.altKey || event.metaKey || event.repeat;
    if (i < 0 || other || event.target.matches?.(TYPED)) return;
    hit(i);
  }

  addEventListener("keydown", pressed);
  parts.play.addEventListener("click", () => hit(chosen));
  const choices = [...place.querySelectorAll("[data-shown]")];
  for (const choice of choices) {
    choice.addEventListener("click", () => {
      for (const other of choices) {
        other.setAttribute("aria-pressed", String(other === choice));
      }
      parts.grid.classList.toggle("waves", choice.dataset.shown === "waveform");
    });
  }
  // Other layouts have other letters there; not every browser tells them.
  navigator.keyboard?.getLayoutMap?.().then((layout) => {
    CODES.forEach((code, i) => {
      names[i] = (layout.get(code) || names[i]).toUpperCase();
    });
    if (!made) return;
    [...parts.grid.children].forEach(name);
    look(chosen);
  }, () => {});

  bar.start();
  return () => {
    removeEventListener("keydown", pressed);
    bar.stop();
  };
}
