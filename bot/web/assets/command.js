// The command box: suggestions after "/", ghost text, history, chips.

import { $, el } from "./dom.js";

// What is sensible next, by the guide's step; only verbs that the person may use are shown.
const NEXT = {
  look: ["spend", "simulate"],
  simulate: ["simulate", "spend"],
  start: ["start", "spend"],
  decide: ["status", "spend"],
  close: ["close", "status"],
  prove: ["status", "sync", "export"],
  done: ["status", "export", "history"],
};
const FOR_ALL = ["inbox", "seats mine", "help"];
const CHIPS = 3;

const box = $("box");
const list = $("options");
let suggestions = [];
let matches = [];
let selected = 0;
let moved = false;
let send = () => {};
let history = () => [];
let back = 0;

/** `onSend(text)` sends a command; `sent()` returns what this person sent before, oldest first. */
export function start(onSend, sent) {
  send = onSend;
  history = sent;
}

/** The verbs of the person who is picked. */
export function offer(found) {
  suggestions = found.map((each) => ({ ...each, usage: each.usage.replace(/^\/?reclaim\s+/, "") }));
  refresh();
}

export function chips(step) {
  const wanted = [...(NEXT[step] ?? []), ...FOR_ALL];
  const verbs = wanted.filter((verb) => suggestions.some((each) => each.verb === verb)).slice(0, CHIPS);
  $("chips").replaceChildren(...verbs.map((verb) => {
    const chip = el("button", { type: "button", class: "chip" }, `/reclaim ${verb}`);
    chip.addEventListener("click", () => submit(`/reclaim ${verb}`));
    return chip;
  }));
  box.placeholder = step === "look" && verbs.includes("spend") ? "Type /reclaim spend to begin" : "/reclaim";
}

export function clear() {
  box.value = "";
  refresh();
}

/** Put back what could not be sent, unless something else was typed meanwhile. */
export function restore(text) {
  if (!box.value) box.value = text;
  refresh();
}

export const focus = () => box.focus();

/** What stands behind "/reclaim ", or null if the box holds no beginning of a command. */
function query() {
  const text = box.value.toLowerCase();
  if (text.startsWith("/reclaim ")) return text.slice(9).trimStart();
  return text && "/reclaim ".startsWith(text) ? "" : text.startsWith("/") ? text.slice(1) : null;
}

function refresh() {
  const asked = query();
  matches = asked === null ? [] : suggestions.filter(({ verb }) => verb.startsWith(asked) || asked.startsWith(`${verb} `));
  selected = 0;
  moved = false;
  draw();
}

/** The options of a verb are shown when they are next: a list of verbs reads better without them. */
const shown = ({ verb, usage }) => (query()?.startsWith(`${verb} `) ? usage : usage.replace(/ \[(--|OPTIONS)[^\]]*\]/g, ""));

function draw() {
  const open = matches.length > 0 && document.activeElement === box;
  $("suggest").hidden = !open;
  box.setAttribute("aria-expanded", String(open));
  list.replaceChildren(...(open ? matches : []).map((each, index) => {
    const option = el(
      "li", { role: "option", id: `option-${index}`, "aria-selected": String(index === selected) },
      el("b", {}, `/reclaim ${shown(each)}`), el("span", {}, each.summary),
    );
    option.addEventListener("pointerdown", (event) => { event.preventDefault(); selected = index; take(); });
    return option;
  }));
  if (open) box.setAttribute("aria-activedescendant", `option-${selected}`);
  else box.removeAttribute("aria-activedescendant");
  list.children[selected]?.scrollIntoView({ block: "nearest" });
  ghost(open);
}

function ghost(open) {
  const full = open && query() ? `/reclaim ${matches[selected].verb}` : "";
  const rest = full.toLowerCase().startsWith(box.value.toLowerCase()) ? full.slice(box.value.length) : "";
  $("ghost").replaceChildren(...(rest ? [el("s", {}, box.value), rest] : []));
}

const needsMore = ({ usage }) => /(^|\s)[A-Z]{2,}/.test(usage.replace(/\[[^\]]*\]/g, ""));

/** Complete to the chosen suggestion. */
function complete() {
  const each = matches[selected];
  box.value = `/reclaim ${each.verb}${each.usage === each.verb ? "" : " "}`;
  refresh();
}

/** A suggestion was chosen outright: send it, or wait for the argument that it needs. */
function take() {
  const each = matches[selected];
  if (needsMore(each)) complete();
  else submit(`/reclaim ${each.verb}`);
}

function submit(text) {
  if (document.body.classList.contains("offline")) return;
  const command = /^\/reclaim\b/i.test(text) ? text.trim() : `/reclaim ${text.trim().replace(/^\//, "")}`.trim();
  back = 0;
  clear();
  send(command);
}

function enter() {
  const typed = query();
  const begun = typed && matches.length > 0 && !typed.includes(" ") && matches[selected].verb.startsWith(typed);
  if (matches.length && (moved || begun)) take();
  else if (box.value.trim()) submit(box.value);
}

function recall(by) {
  const sent = history();
  back = Math.min(Math.max(back + by, 0), sent.length);
  box.value = back ? sent[sent.length - back] : "";
  matches = [];
  draw();
}

function onKey(event) {
  const { key } = event;
  const open = !$("suggest").hidden;
  const vertical = key === "ArrowUp" || key === "ArrowDown";
  if (event.altKey || event.isComposing) return;
  if (vertical && open) {
    selected = (selected + (key === "ArrowDown" ? 1 : matches.length - 1)) % matches.length;
    moved = true;
    draw();
  } else if (vertical && (box.value === "" || back)) recall(key === "ArrowUp" ? 1 : -1);
  else if (key === "Tab" && open && !event.shiftKey) complete();
  else if (key === "ArrowRight" && $("ghost").textContent && box.selectionStart === box.value.length) complete();
  else if (key === "Escape" && open) { matches = []; draw(); }
  else if (key === "Enter") enter();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

box.addEventListener("keydown", onKey);
box.addEventListener("input", () => { back = 0; refresh(); });
box.addEventListener("focus", refresh);
box.addEventListener("blur", draw);
$("command").addEventListener("submit", (event) => {
  event.preventDefault();
  if (box.value.trim()) submit(box.value);
});
