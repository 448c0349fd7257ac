// The page: its tabs, and what the views share.

import { showClips } from "./clips.js";
import { showDrawing } from "./drawing.js";
import { showPictured } from "./pictured.js";
import { showSamples } from "./samples.js";
import { showSolids } from "./solids.js";
import { showSounds } from "./sounds.js";
import { showSpeech } from "./speech.js";
import { showTraining } from "./training.js";

// What shows each kind of model; each returns what is to be done on leaving it.
const VIEWS = {
  noise: showSamples,
  translator: showDrawing,
  sounds: showSounds,
  speech: showSpeech,
  solids: showSolids,
  pictured: showPictured,
  clips: showClips,
};
const view = document.getElementById("view");
const tabs = document.getElementById("tabs");
const SHOWN_SECONDS = 8;
let leave = [];

/** Asks the server; an answer that refuses becomes an Error that says why. */
export async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("The server does not answer. Is keras-gans demo still running?");
  }
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.error || `The server answered ${answer.status}.`);
  }
  return answer;
}

export const askJson = async (address) => (await ask(address)).json();

/** Shows an error for some seconds, each text once. */
export function tell(error) {
  const box = document.getElementById("errors");
  const text = error.message || String(error);
  if ([...box.children].some((p) => p.textContent === text)) return;
  const line = document.createElement("p");
  line.textContent = text;
  box.append(line);
  setTimeout(() => line.remove(), SHOWN_SECONDS * 1000);
}

/** A copy of a template, and its parts by name. */
export function copy(name) {
  const content = document.getElementById(`${name}-template`).content.cloneNode(true);
  const parts = {};
  for (const node of content.querySelectorAll("[data-part]")) {
    parts[node.dataset.part] = node;
  }
  return [content, parts];
}

/** Calls a function with the latest arguments, one call at a time. */
export function latest(work) {
  let busy = false;
  let next = null;
  return async function call(...args) {
    next = args;
    if (busy) return;
    busy = true;
    try {
      while (next) {
        const now = next;
        next = null;
        await work(...now);
      }
    } catch (error) {
      tell(error);
    } finally {
      busy = false;
      if (next) call(...next);
    }
  };
}

export const number = (x) => x.toLocaleString("en-US");

function about(model) {
  const words = [model.model, model.size];
  const millions = (model.parameters / 1e6).toFixed(1);
  const few = model.parameters < 1e5;
  words.push(few ? `${number(model.parameters)} weights` : `${millions} million weights`);
  words.push(`${number(model.step)} steps of training`);
  return words.join(" · ");
}

function show(model) {
  leave.forEach((stop) => stop());
  leave = [];
  view.replaceChildren();
  for (const tab of tabs.children) {
    const chosen = Number(tab.dataset.id) === model.id;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  const [head, parts] = copy("head");
  parts.title.textContent = model.name.replaceAll("_", " ");
  parts.about.textContent = model.ready
    ? about(model)
    : "It has no checkpoint yet: what it makes is shown here once there is one.";
  view.append(head);
  document.title = `${model.name} – keras_gans demo`;
  const base = `/api/models/${model.id}`;
  if (model.live) {
    leave.push(showTraining(view, base, () => refresh(model, parts)));
  }
  const rest = document.createElement("div");
  view.append(rest);
  if (model.ready) leave.push(VIEWS[model.kind](rest, model, base));
}

/** Asks again for a run that trains: its samples are of newer weights then. */
async function refresh(model, parts) {
  const { models } = await askJson("/api/models");
  const now = models[model.id];
  if (now.ready && !model.ready) {
    show(now);
  } else if (now.ready && now.step !== model.step) {
    model.step = now.step;
    parts.about.textContent = about(now);
    view.dispatchEvent(new Event("newer"));
  }
}

function addTabs(models) {
  for (const model of models) {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.role = "tab";
    tab.dataset.id = model.id;
    tab.setAttribute("aria-controls", "view");
    tab.textContent = model.name.replaceAll("_", " ");
    tab.addEventListener("click", () => {
      location.hash = model.id;
      show(model);
    });
    tabs.append(tab);
  }
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const places = [...tabs.children];
    const here = places.indexOf(document.activeElement);
    if (!step || here < 0) return;
    const next = places[(here + step + places.length) % places.length];
    next.focus();
    next.click();
  });
}

async function start() {
  try {
    const { models } = await askJson("/api/models");
    addTabs(models);
    show(models[Number(location.hash.slice(1))] || models[0]);
  } catch (error) {
    view.firstElementChild.textContent = "The models cannot be shown.";
    tell(error);
  }
}

start();
