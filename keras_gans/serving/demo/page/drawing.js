// Models that translate pictures: draw, drop a file or look into the camera. Those that
// enlarge take photos, and show them before and after.

import { ask, askJson, copy, latest, tell } from "./demo.js";

const SIZE = 512; // pixels of the canvas on the page
const STEP = 1 / 32; // of the canvas, by an arrow key
const COLOURS = {
  black: "#1b1b1f", white: "#ffffff", yellow: "#fcd53f", orange: "#ff822d",
  red: "#f8312f", pink: "#ff92c2", purple: "#8d65c5", blue: "#0074ba",
  green: "#00a651", brown: "#7d4533",
};

export function showDrawing(place, model, base) {
  const [content, parts] = copy("drawing");
  place.append(content);
  const canvas = parts.canvas;
  const paper = canvas.getContext("2d");
  const small = document.createElement("canvas");
  let direction = model.directions[0];
  let strokes = []; // {tool, colour, width, points}, in shares of the canvas
  let under = null; // a picture below them
  let greeting = false; // whether it is the example that the page begins with
  const enlarges = model.scale > 1;
  let tool = "pen";
  let colour = model.drawn ? "#000000" : COLOURS.black;
  let stroke = null;
  let stream = null;
  let address = null;
  canvas.width = canvas.height = SIZE;
  small.width = model.width;
  small.height = model.height;

  // --- Pictures ---

  function render(context, width, height) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    if (under) {
      const [w, h] = [under.videoWidth || under.width, under.videoHeight || under.height];
      // A camera fills the paper, as does what is enlarged; a file is shown whole.
      const share = (stream || enlarges ? Math.max : Math.min)(width / w, height / h);
      const [x, y] = [(width - share * w) / 2, (height - share * h) / 2];
      context.drawImage(under, x, y, share * w, share * h);
    }
    for (const one of strokes) drawStroke(context, one, width, height);
  }

  function drawStroke(context, one, width, height) {
    context.strokeStyle = context.fillStyle = one.tool === "eraser" ? "#fff" : one.colour;
    context.lineWidth = one.width * width;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    const [[x, y], ...rest] = one.points;
    context.moveTo(x * width, y * height);
    context.lineTo(x * width + 0.01, y * height);
    for (const [x, y] of rest) context.lineTo(x * width, y * height);
    if (one.tool === "shape") {
      context.closePath();
      context.fill();
    }
    context.stroke();
  }

  const translate = latest(async () => {
    render(small.getContext("2d"), small.width, small.height);
    const blob = await new Promise((done) => small.toBlob(done, "image/png"));
    const options = { method: "POST", body: blob, headers: { "content-type": "image/png" } };
    const answer = await ask(`${base}/translate?direction=${direction}`, options);
    const made = URL.createObjectURL(await answer.blob());
    parts.before.src = small.toDataURL();
    parts.result.src = parts.save.href = made;
    if (address) URL.revokeObjectURL(address);
    address = made;
  });

  function changed() {
    if (enlarges) {
      // The pixels that the model is given, not those of the file.
      render(small.getContext("2d"), small.width, small.height);
      paper.imageSmoothingEnabled = false;
      paper.drawImage(small, 0, 0, SIZE, SIZE);
    } else render(paper, SIZE, SIZE);
    parts.invitation.hidden = Boolean(strokes.length || under);
    translate();
  }

  function put(picture) {
    look(false);
    under = picture;
    greeting = false;
    strokes = [];
    changed();
  }

  function read(address, revoke = false, greets = false) {
    const image = new Image();
    image.onload = () => {
      if (greets && (strokes.length || under)) return;
      put(image);
      greeting = greets;
      if (revoke) URL.revokeObjectURL(address);
    };
    image.onerror = () => tell(new Error("This file is no picture that your browser can show."));
    image.src = address;
  }

  function readFile(file) {
    if (file) read(URL.createObjectURL(file), true);
  }

  // --- Drawing ---

  function begin(x, y) {
    if (enlarges) return;
    if (greeting) put(null);
    stroke = { tool, colour, width: Number(parts.width.value) / 100, points: [[x, y]] };
    strokes.push(stroke);
    changed();
  }

  function goOn(x, y) {
    stroke.points.push([x, y]);
    changed();
  }

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    parts.cursor.hidden = true;
    begin(...at(event));
  });
  canvas.addEventListener("pointermove", (event) => stroke && event.buttons && goOn(...at(event)));
  canvas.addEventListener("pointerup", () => (stroke = null));
  canvas.addEventListener("pointercancel", () => (stroke = null));

  // By keys: arrows move the pen, the space bar puts it down and lifts it.
  let pen = [0.5, 0.5];
  canvas.addEventListener("keydown", (event) => {
    if (enlarges) return;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (move) pen = pen.map((x, i) => Math.min(1, Math.max(0, x + STEP * move[i])));
    if (event.key === " ") {
      if (stroke) stroke = null;
      else begin(...pen);
    } else if (move && stroke) goOn(...pen);
    if (!move && event.key !== " ") return;
    event.preventDefault();
    parts.cursor.hidden = false;
    parts.cursor.classList.toggle("down", Boolean(stroke));
    parts.cursor.style.left = `${100 * pen[0]}%`;
    parts.cursor.style.top = `${100 * pen[1]}%`;
  });
  canvas.addEventListener("blur", () => {
    parts.cursor.hidden = true;
    stroke = null;
  });

  // --- Tools ---

  const tools = [...parts.studio.parentElement.querySelectorAll("[data-tool]")];
  for (const button of tools) {
    button.addEventListener("click", () => {
      tool = button.dataset.tool;
      for (const other of tools) other.setAttribute("aria-pressed", String(other === button));
    });
  }
  parts.undo.addEventListener("click", () => {
    if (!strokes.pop()) under = null;
    changed();
  });
  parts.clear.addEventListener("click", () => put(null));
  parts.open.addEventListener("click", () => parts.file.click());
  parts.file.addEventListener("change", () => {
    readFile(parts.file.files[0]);
    parts.file.value = "";
  });
  addEventListener("paste", paste);
  function paste(event) {
    readFile([...event.clipboardData.files][0]);
  }
  for (const name of ["dragover", "dragleave", "drop"]) {
    parts.studio.addEventListener(name, (event) => {
      event.preventDefault();
      parts.studio.classList.toggle("over", name === "dragover");
      if (name === "drop") readFile(event.dataTransfer.files[0]);
    });
  }

  if (model.drawn) {
    parts.swatches.hidden = true;
  } else {
    for (const [name, code] of Object.entries(COLOURS)) {
      const swatch = document.createElement("button");
      swatch.type = "button";
      swatch.title = name;
      swatch.setAttribute("aria-label", name);
      swatch.setAttribute("aria-pressed", String(code === colour));
      swatch.style.background = code;
      swatch.addEventListener("click", () => {
        colour = code;
        for (const other of parts.swatches.children) {
          other.setAttribute("aria-pressed", String(other === swatch));
        }
      });
      parts.swatches.append(swatch);
    }
  }

  function compare() {
    const share = Number(parts.compare.value);
    parts.result.style.clipPath = `inset(0 0 0 ${share}%)`;
    parts.handle.style.left = `${share}%`;
    parts.handle.hidden = share === 0;
  }
  parts.compare.addEventListener("input", compare);

  if (enlarges) {
    parts.studio.classList.add("enlarging");
    for (const name of ["pens", "width-box", "swatches", "strokes"]) parts[name].hidden = true;
    canvas.removeAttribute("tabindex");
    canvas.setAttribute("aria-label", "The picture that is enlarged");
    canvas.removeAttribute("aria-describedby");
    parts["source-title"].textContent = `Your picture, ${small.width} × ${small.height}`;
    parts["result-title"].textContent = `Before and after, ${model.scale} times as large`;
    parts.save.download = "enlarged.png";
    parts.compare.value = 50;
    compare();
    const drag = (event) => {
      const box = parts["result-paper"].getBoundingClientRect();
      parts.compare.value = (100 * (event.clientX - box.left)) / box.width;
      compare();
    };
    parts["result-paper"].addEventListener("pointerdown", (event) => {
      parts["result-paper"].setPointerCapture(event.pointerId);
      drag(event);
    });
    parts["result-paper"].addEventListener("pointermove", (event) => event.buttons && drag(event));
  }

  // --- The camera ---

  async function look(on) {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    if (stream && under instanceof HTMLVideoElement) under = null;
    stream = null;
    parts.camera.setAttribute("aria-pressed", "false");
    if (!on) return;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    } catch {
      tell(new Error("There is no camera that this page may use."));
      return;
    }
    const video = document.createElement("video");
    video.muted = video.playsInline = true;
    video.srcObject = stream;
    await video.play();
    under = video;
    strokes = [];
    parts.camera.setAttribute("aria-pressed", "true");
    const next = () => {
      if (under !== video) return;
      changed();
      setTimeout(() => requestAnimationFrame(next), 60);
    };
    next();
  }
  parts.camera.hidden = !navigator.mediaDevices?.getUserMedia;
  parts.camera.addEventListener("click", async () => {
    await look(!stream);
    if (!stream) changed();
  });

  // --- Directions and examples ---

  const examples = askJson(`${base}/examples`).catch(tell);

  async function showExamples() {
    const found = (await examples)?.[direction]; // none, where the data is not here
    parts["examples-box"].hidden = !found;
    parts.examples.replaceChildren();
    (found || []).forEach((data, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `Example ${i + 1}`);
      const image = document.createElement("img");
      image.alt = "";
      image.src = data;
      button.append(image);
      button.addEventListener("click", () => read(data));
      parts.examples.append(button);
    });
    if (found) read(found[1], false, true);
  }

  if (model.directions.length > 1) {
    parts.ways.hidden = false;
    for (const way of model.directions) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = model.ways[way];
      button.setAttribute("aria-pressed", String(way === direction));
      button.addEventListener("click", () => {
        direction = way;
        for (const other of parts.ways.children) {
          other.setAttribute("aria-pressed", String(other === button));
        }
        under = null;
        strokes = [];
        showExamples();
        changed();
      });
      parts.ways.append(button);
    }
  }
  const first = enlarges ? "Drop a picture here, or open a file" : "Draw here, or drop a picture";
  parts.invitation.textContent = first;
  const view = document.getElementById("view");
  view.addEventListener("newer", translate);
  showExamples();
  changed();
  return () => {
    look(false);
    removeEventListener("paste", paste);
    view.removeEventListener("newer", translate);
  };
}
