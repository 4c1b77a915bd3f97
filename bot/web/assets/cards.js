// What cards do: live sums, forms, people pickers, menus, questions first, focus after an answer.

import { Refusal } from "./api.js";
import { $, confirm, el, hush, money, toast } from "./dom.js";

// Buttons that name what is ticked, and what they say before the sum.
const COUNTED = { "wave.revoke": "Revoke" };

let session = null;
let handlers = {};
let expect = () => () => {};
const clicked = new Set();

/** Cards act as this persona from now on; `own` maps verbs that the page itself carries out; `expecting` is told of clicks. */
export function use(newSession, own, expecting) {
  session = newSession;
  handlers = own;
  expect = expecting;
}

export const wasClicked = (id) => clicked.delete(id);

/** Every input of a card by name, as text; boxes are "true" or "false". */
export function inputs(card) {
  const found = {};
  for (const field of card.querySelectorAll("input[name], select[name], textarea[name]")) {
    if (field.type === "checkbox") found[field.name] = String(field.checked);
    else if (field.type !== "radio") found[field.name] = field.value;
    else if (field.checked || !(field.name in found)) found[field.name] = field.checked ? field.value : "";
  }
  return found;
}

/** Give a freshly drawn card its behaviour. */
export function enliven(node, message) {
  node.addEventListener("click", (event) => onClick(event, node, message));
  node.addEventListener("change", () => total(node));
  node.addEventListener("submit", (event) => event.preventDefault());
  for (const button of node.querySelectorAll("button[data-verb]")) button.dataset.label = button.textContent;
  for (const combo of node.querySelectorAll("input[data-people]")) picker(combo);
  total(node);
}

function total(node) {
  const boxes = [...node.querySelectorAll(".rows input[type=checkbox]")];
  if (!boxes.length) return;
  const ticked = boxes.filter((box) => box.checked);
  const sums = new Map();
  let unpriced = 0;
  for (const { dataset } of ticked) {
    if (dataset.minor) sums.set(dataset.currency, (sums.get(dataset.currency) ?? 0) + Number(dataset.minor));
    else unpriced += 1;
  }
  const amounts = [...sums].map(([currency, minor]) => money(minor, currency)).join(" + ");
  const rest = [amounts && `${amounts}${unpriced ? "" : " a month"}`, unpriced && `${unpriced} unpriced`].filter(Boolean).join(" + ");
  for (const button of node.querySelectorAll(".acts > button[data-verb]")) {
    const word = COUNTED[button.dataset.verb];
    if (word) button.textContent = ticked.length ? `${word} ${ticked.length} · ${rest}` : button.dataset.label;
  }
}

function onClick(event, node, message) {
  const download = event.target.closest("a[download]");
  if (download) {
    event.preventDefault();
    session.download(download.getAttribute("href"), download.download).catch(refused);
    return;
  }
  const button = event.target.closest("button[data-verb]");
  if (!button) return;
  event.preventDefault();
  button.closest("details.more")?.removeAttribute("open");
  if (document.body.classList.contains("offline")) return;
  press(button, node, message).catch(refused);
}

async function press(button, node, message) {
  const { verb, ref, batch, submits, confirm: question } = button.dataset;
  const own = handlers[verb];
  if (own) { await own(ref); return; }
  const card = button.closest(".card");
  const sends = submits === "true";
  if (sends && verb.endsWith(".submit") && !valid(card)) return;
  if (question && !(await confirm(question, button.dataset.label, button.className))) return;
  if (card.classList.contains("saving")) return;
  hush();
  card.classList.add("saving");
  clicked.add(message.id);
  const answered = expect();
  const late = setTimeout(() => saving(card), 1000);
  try {
    const outcome = await session.action(message.id, { verb, ref, batch }, sends ? inputs(card) : {});
    if (outcome.toast) toast(outcome.toast, { error: outcome.error });
    if (!outcome.replaced) clicked.delete(message.id);
  } catch (error) {
    clicked.delete(message.id);
    throw error;
  } finally {
    answered();
    clearTimeout(late);
    card.classList.remove("saving");
    card.querySelector(":scope > .strip.wait")?.remove();
  }
}

function saving(card) {
  card.querySelector(".head")?.after(el("div", { class: "strip neutral wait", role: "status" }, el("p", {}, "Saving your answer…")));
}

function refused(error) {
  toast(error.message, { error: true });
  if (!(error instanceof Refusal) && error.name === "TypeError") throw error;
}

/** Say at the field what is missing; true if nothing is. */
function valid(card) {
  const wrong = [...card.querySelectorAll(":invalid")].find((field) => field.matches("input, select, textarea"));
  wrong?.reportValidity();
  return !wrong;
}

/** After an own answer: to Undo, else to a field that needs mending, else to the first field, else to the card. */
export function focusResult(node) {
  const undo = [...node.querySelectorAll(".strip button[data-verb]")].find(({ dataset }) => dataset.verb.includes("undo"));
  const wrong = node.querySelector(".field:has(.err) :is(input, select, textarea)");
  const field = node.querySelector(".field :is(input:not([type=hidden]), select, textarea)");
  const card = node.querySelector(".card");
  if (card) card.tabIndex = -1;
  (undo ?? wrong ?? field ?? card)?.focus({ preventScroll: true });
  const head = node.getBoundingClientRect().top - $("log").getBoundingClientRect().top;
  if (head < 0 || head > $("log").clientHeight - 120) node.scrollIntoView({ block: "start" });
}

/** A card changed while somebody was at it: what they had ticked or typed, and what they had opened, stays. */
export function carryOver(before, after, was, is) {
  if (was.kind !== is.kind || clicked.has(is.id)) return;
  for (const old of before.querySelectorAll("input[name], select[name], textarea[name]")) {
    const value = old.type === "radio" ? `[value="${CSS.escape(old.value)}"]` : "";
    const field = after.querySelector(`[name="${CSS.escape(old.name)}"]${value}`);
    if (!field) continue;
    if (old.checked !== old.defaultChecked) field.checked = old.checked;
    if (old.tagName === "SELECT" || old.value !== old.defaultValue) field.value = old.value;
  }
  const opened = [...before.querySelectorAll("details:not(.more)")].map((each) => each.open);
  after.querySelectorAll("details:not(.more)").forEach((each, index) => { each.open = opened[index] ?? each.open; });
  total(after);
}

/** A combobox over the directory. The chosen id travels in a hidden field under the input's own name. */
function picker(input) {
  const list = input.closest(".combo").querySelector("[role=listbox]");
  const { id } = list;
  const chosen = hiddenFor(input);
  let found = [];
  let at = -1;
  let latest = 0;

  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const choose = (person) => { input.value = person.name; chosen.value = person.id; close(); };
  const mark = (index) => {
    at = index;
    [...list.children].forEach((option, each) => option.setAttribute("aria-selected", String(each === at)));
    if (found[at]) input.setAttribute("aria-activedescendant", `${id}-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const open = () => {
    list.replaceChildren(...found.map((person, index) => {
      const option = el("li", { role: "option", id: `${id}-${index}` }, person.name);
      option.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(person); });
      return option;
    }));
    if (!found.length) list.append(el("li", { class: "none" }, "Nobody has this name."));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(found.length ? 0 : -1);
  };
  const suggested = [...list.children].map((option) => ({ id: option.dataset.value, name: option.textContent }));
  const look = async () => {
    if (!input.value.trim()) {
      found = suggested;
      if (found.length) open(); else close();
      return;
    }
    const turn = latest += 1;
    const answer = await session.people(input.value.trim()).catch(() => []);
    if (turn !== latest || document.activeElement !== input) return;
    found = answer;
    open();
  };

  input.addEventListener("input", () => { chosen.value = ""; look(); });
  input.addEventListener("focus", look);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") mark((at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % (found.length || 1));
    else if ((event.key === "Enter" || event.key === "Tab") && found[at]) choose(found[at]);
    else if (event.key === "Escape") close();
    else return;
    if (event.key !== "Tab") { event.preventDefault(); event.stopPropagation(); }
  });
}

function hiddenFor(input) {
  const hidden = el("input", { type: "hidden", name: input.name, value: input.dataset.value ?? "" });
  input.removeAttribute("name");
  input.after(hidden);
  return hidden;
}

/** One menu at a time; Esc and a click elsewhere close it. */
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.more[open]")) if (menu !== except) menu.open = false;
}
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.more")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.more[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
