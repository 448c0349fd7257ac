// Meshes that turn: GLB files, drawn by WebGL without a library.

const START = { yaw: 0.52, pitch: 0.44, near: 1 }; // as previews are seen
const STEP = 0.12; // radians of an arrow key
const TURN = 0.6; // radians a second
const ANGLE = 0.6; // of view, in radians
const NUMBERS = { 5121: Uint8Array, 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array };

const VERTEX = `#version 300 es
uniform mat3 turned;
uniform vec2 scale; // of the picture, over the tangent of half the angle
uniform float away;
in vec3 place;
in vec3 normal;
out vec3 slope;
void main() {
  vec3 at = turned * place;
  slope = turned * normal;
  float depth = away - at.z;
  gl_Position = vec4(at.xy * scale, depth - 1.0, depth);
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec3 slope;
out vec4 colour;
const vec3 LIGHT = normalize(vec3(0.35, 0.75, 0.55));
const vec3 FILL = normalize(vec3(-0.7, -0.1, 0.5));
void main() {
  vec3 n = normalize(slope);
  float shade = 0.24 + 0.72 * max(dot(n, LIGHT), 0.0) + 0.2 * max(dot(n, FILL), 0.0);
  float shine = pow(max(dot(n, normalize(LIGHT + vec3(0.0, 0.0, 1.0))), 0.0), 40.0);
  colour = vec4(vec3(0.64, 0.61, 0.78) * shade + 0.14 * shine, 1.0);
}`;

/** The corners and triangles of the first mesh of a GLB file. */
export function readGlb(buffer) {
  const data = new DataView(buffer);
  const length = data.getUint32(12, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 20, length)));
  const start = 28 + length; // after the head of the second part
  const array = (index) => {
    const accessor = head.accessors[index];
    const view = head.bufferViews[accessor.bufferView];
    const from = start + (view.byteOffset || 0) + (accessor.byteOffset || 0);
    const count = accessor.count * (accessor.type === "VEC3" ? 3 : 1);
    const kind = NUMBERS[accessor.componentType];
    return new kind(buffer.slice(from, from + count * kind.BYTES_PER_ELEMENT));
  };
  const { attributes, indices } = head.meshes[0].primitives[0];
  return { corners: array(attributes.POSITION), faces: Uint32Array.from(array(indices)) };
}

/** Normals of corners: those of the faces around, by their areas. */
function normalsOf(corners, faces) {
  const normals = new Float32Array(corners.length);
  for (let i = 0; i < faces.length; i += 3) {
    const [a, b, c] = [3 * faces[i], 3 * faces[i + 1], 3 * faces[i + 2]];
    const u = [0, 1, 2].map((k) => corners[b + k] - corners[a + k]);
    const v = [0, 1, 2].map((k) => corners[c + k] - corners[a + k]);
    for (let k = 0; k < 3; k++) {
      const [p, q] = [(k + 1) % 3, (k + 2) % 3];
      const across = u[p] * v[q] - u[q] * v[p];
      for (const corner of [a, b, c]) normals[corner + k] += across;
    }
  }
  return normals;
}

/** Corners around the middle of their box, within 1 of it. */
function centred(corners) {
  const [low, high] = [[Infinity, Infinity, Infinity], [-Infinity, -Infinity, -Infinity]];
  corners.forEach((x, i) => {
    low[i % 3] = Math.min(low[i % 3], x);
    high[i % 3] = Math.max(high[i % 3], x);
  });
  const reach = Math.hypot(...high.map((x, k) => x - low[k])) / 2 || 1;
  return corners.map((x, i) => (x - (low[i % 3] + high[i % 3]) / 2) / reach);
}

function programOf(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`The viewer cannot draw here: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}

/** A viewer on a canvas, or null where the browser has no WebGL. */
export function makeViewer(canvas) {
  const gl = canvas.getContext("webgl2", { antialias: true });
  if (!gl) return null;
  const program = programOf(gl);
  gl.useProgram(program);
  gl.enable(gl.DEPTH_TEST);
  const uniform = (name) => gl.getUniformLocation(program, name);
  const [turned, scale, away] = ["turned", "scale", "away"].map(uniform);
  const buffers = { place: gl.createBuffer(), normal: gl.createBuffer() };
  for (const [name, buffer] of Object.entries(buffers)) {
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, 3, gl.FLOAT, false, 0, 0);
  }
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());

  let seen = { ...START };
  let count = 0; // of indices
  let spins = false;
  let frame = null;
  let last = 0; // when the frame before was drawn
  const held = new Map(); // pointers that are down, and where

  function draw(now) {
    frame = null;
    if (spins) seen.yaw += (TURN * Math.min(now - last, 100)) / 1000;
    last = now;
    const { width, height } = canvas.getBoundingClientRect();
    canvas.width = Math.max(1, Math.round(width * devicePixelRatio));
    canvas.height = Math.max(1, Math.round(height * devicePixelRatio));
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const [s, c] = [Math.sin(seen.yaw), Math.cos(seen.yaw)];
    const [t, d] = [Math.sin(seen.pitch), Math.cos(seen.pitch)];
    // Column by column: about the axis that points up, then towards the eye.
    gl.uniformMatrix3fv(turned, false, [c, -t * s, d * s, 0, d, t, -s, -t * c, d * c]);
    const tangent = Math.tan(ANGLE / 2);
    const share = Math.min(canvas.width, canvas.height) / tangent;
    gl.uniform2f(scale, share / canvas.width, share / canvas.height);
    gl.uniform1f(away, (1.05 / Math.sin(ANGLE / 2)) * seen.near);
    gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_INT, 0);
    if (spins) redraw();
  }

  function redraw() {
    frame ??= requestAnimationFrame(draw);
  }

  function turn(right, up) {
    seen.yaw -= right; // what is near follows the pointer
    seen.pitch = Math.min(Math.PI / 2, Math.max(-Math.PI / 2, seen.pitch + up));
    redraw();
  }

  function zoom(factor) {
    seen.near = Math.min(3, Math.max(0.45, seen.near * factor));
    redraw();
  }

  const spread = () => {
    const [a, b] = [...held.values()];
    return Math.hypot(a.x - b.x, a.y - b.y) || 1;
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const apart = held.size === 2 ? spread() : 0;
    held.set(event.pointerId, now);
    if (apart) zoom(apart / spread());
    else turn((now.x - before.x) / 120, (now.y - before.y) / 120);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => held.delete(event.pointerId));
  }
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas) return; // the page scrolls
    event.preventDefault();
    zoom(Math.exp(event.deltaY / 800));
  }, { passive: false });
  const keys = {
    ArrowLeft: () => turn(-STEP, 0),
    ArrowRight: () => turn(STEP, 0),
    ArrowUp: () => turn(0, -STEP),
    ArrowDown: () => turn(0, STEP),
    "+": () => zoom(1 / 1.1),
    "=": () => zoom(1 / 1.1), // where + needs the shift key
    "-": () => zoom(1.1),
    Home: reset,
  };
  canvas.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  const resized = new ResizeObserver(redraw);
  resized.observe(canvas);

  function reset() {
    seen = { ...START };
    redraw();
  }

  return {
    reset,
    /** Shows a GLB file; returns how many triangles it has. */
    show(file) {
      const { corners, faces } = readGlb(file);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers.place);
      gl.bufferData(gl.ARRAY_BUFFER, centred(corners), gl.STATIC_DRAW);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers.normal);
      gl.bufferData(gl.ARRAY_BUFFER, normalsOf(corners, faces), gl.STATIC_DRAW);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, faces, gl.STATIC_DRAW);
      count = faces.length;
      redraw();
      return count / 3;
    },
    spin(on) {
      spins = on;
      last = performance.now();
      redraw();
    },
    stop() {
      spins = false;
      cancelAnimationFrame(frame);
      resized.disconnect();
      gl.getExtension("WEBGL_lose_context")?.loseContext();
    },
  };
}
