// Models that say a text: a box to type in, a player, a spectrogram.

import { askJson, copy } from "./demo.js";
import { outline, readSound } from "./waves.js";

export function showSpeech(place, model, base) {
  const [content, parts] = copy("speech");
  place.append(content);
  let waits = false;
  let left = false;
  let frame = null;

  parts.text.maxLength = model.letters;
  parts["pause-box"].hidden = !model.pause;
  parts["seed-box"].hidden = !model.seed;
  parts["own-box"].hidden = !model.english;
  if (model.english) {
    parts.text.value = "seven three nine";
    parts.hint.textContent =
      "English words, numbers as words; a comma or a full stop is a pause. The voice " +
      "says words best that are like those it has learned.";
  } else {
    const apart = model.symbols.every((symbol) => symbol.length === 1) ? "" : " ";
    parts["text-name"].textContent = "Symbols";
    parts.text.value = model.symbols.slice(1, 5).join(apart);
    parts.hint.textContent = `The voice has symbols of its own: ${model.symbols.join(" ")}`;
  }

  for (const [name, unit] of [["speed", ""], ["pause", " s"]]) {
    parts[name].addEventListener("input", () => {
      parts[`${name}-value`].textContent = Number(parts[name].value).toFixed(2) + unit;
    });
  }

  async function speak() {
    if (waits) return;
    waits = true;
    parts.speak.disabled = true;
    const query = new URLSearchParams({ text: parts.text.value, speed: parts.speed.value });
    if (model.pause) query.set("pause", parts.pause.value);
    if (model.seed) query.set("seed", parts.seed.value || 0);
    if (model.english) query.set("pronunciations", parts.own.value);
    try {
      const said = await askJson(`${base}/speech?${query}`);
      if (!left) show(said, query.get("text"));
    } catch (error) {
      parts.problem.textContent = error.message;
      parts.problem.hidden = false;
      parts["own-box"].open ||= error.message.includes("pronunciations");
    } finally {
      waits = false;
      parts.speak.disabled = false;
    }
  }

  function show(said, text) {
    parts.problem.hidden = true;
    parts.said.hidden = false;
    parts.title.textContent = text;
    parts.image.src = said.image;
    parts.image.alt = "Spectrogram of what was said";
    parts.wave.setAttribute("d", outline(readSound(said.sound)));
    parts.audio.src = parts.save.href = said.sound;
    parts.seconds.textContent = `${said.seconds.toFixed(2)} seconds of sound.`;
    // A browser that plays nothing unasked leaves that to its player.
    parts.audio.play().catch(() => {});
  }

  function follow() {
    const share = parts.audio.currentTime / (parts.audio.duration || 1);
    parts.head.style.left = `${100 * share}%`;
    frame = parts.audio.paused ? null : requestAnimationFrame(follow);
  }
  for (const name of ["play", "timeupdate", "seeked"]) {
    parts.audio.addEventListener(name, () => (frame ??= requestAnimationFrame(follow)));
  }
  parts.scroll.addEventListener("pointerdown", (event) => {
    const box = parts.scroll.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    if (parts.audio.duration) parts.audio.currentTime = share * parts.audio.duration;
  });

  parts.form.addEventListener("submit", (event) => {
    event.preventDefault();
    speak();
  });
  return () => {
    left = true; // what is still being made is not heard elsewhere
    parts.audio.pause();
    cancelAnimationFrame(frame);
  };
}
