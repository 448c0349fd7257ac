// Models that make solids of a picture: a file, or an example, and its solid to be turned.

import { askJson, copy, latest, tell } from "./demo.js";
import { saveBy } from "./grid.js";
import { makeStage } from "./stage.js";

export function showPictured(place, model, base) {
  const [content, parts] = copy("pictured");
  place.append(content);
  const stage = makeStage(parts.stage);
  const view = document.getElementById("view");
  let file = null; // a picture
  const addresses = []; // of all that were shown, as long as the page may show them
  const options = () => ({ method: "POST", body: file });

  for (const format of model.formats) {
    const link = document.createElement("a");
    link.textContent = format.toUpperCase();
    saveBy(link, () => `solid.${format}`, options);
    stage.links.append(link, " ");
  }

  const look = latest(async () => {
    if (!file) return;
    const still = parts.picture.src;
    await stage.look("Solid of the picture", still, `${base}/mesh`, options());
  });

  function show(now) {
    if (!now) return;
    file = now;
    addresses.push(URL.createObjectURL(file));
    parts.picture.src = addresses.at(-1);
    parts.picture.hidden = false;
    parts.invitation.hidden = true;
    for (const link of stage.links.children) {
      link.href = `${base}/solid.${link.textContent.toLowerCase()}`;
    }
    look();
  }

  parts.size.textContent =
    `It is cut to its middle and resized to ${model.width} × ${model.height} pixels.`;
  parts.open.addEventListener("click", () => parts.file.click());
  parts.file.addEventListener("change", () => {
    show(parts.file.files[0]);
    parts.file.value = "";
  });
  const paste = (event) => show([...event.clipboardData.files][0]);
  addEventListener("paste", paste);
  for (const name of ["dragover", "dragleave", "drop"]) {
    parts.sheet.addEventListener(name, (event) => {
      event.preventDefault();
      parts.sheet.classList.toggle("over", name === "dragover");
      if (name === "drop") show(event.dataTransfer.files[0]);
    });
  }

  async function begin() {
    const { pictures = [] } = await askJson(`${base}/examples`);
    const blobs = await Promise.all(pictures.map(blobOf));
    parts["examples-box"].hidden = !blobs.length;
    blobs.forEach((blob, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `Example ${i + 1}`);
      const image = document.createElement("img");
      image.alt = "";
      image.src = pictures[i];
      button.append(image);
      button.addEventListener("click", () => show(blob));
      parts.examples.append(button);
    });
    if (!file) show(blobs[0]);
  }

  view.addEventListener("newer", look);
  begin().catch(tell);
  return () => {
    removeEventListener("paste", paste);
    view.removeEventListener("newer", look);
    stage.stop();
    addresses.forEach(URL.revokeObjectURL);
  };
}

/** The file that a data address holds; pages may not fetch one. */
function blobOf(address) {
  const [head, data] = address.split(",");
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: head.slice(5).split(";")[0] });
}
