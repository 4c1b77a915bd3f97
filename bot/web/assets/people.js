// The list of people: groups, unread counts, who is picked. The address `#/as/{id}` names the person.

import { $, el } from "./dom.js";

const GROUPS = [["run", "Run the campaign"], ["review", "Review seats"], ["hold", "Hold a seat"]];

let list = [];
let picked = null;

export const all = () => list;
export const find = (id) => list.find((person) => person.id === id);
export const admin = () => list.find((person) => person.group === "run");
export const pickedInAddress = () => decodeURIComponent(/^#\/as\/(.+)$/.exec(location.hash)?.[1] ?? "");
export const address = (id) => `#/as/${encodeURIComponent(id)}`;

/** Go to another person; the page follows the address. */
export const goTo = (id) => { location.hash = address(id); };

/** Everyone keeps the colour of their place in the server's list, which only grows. */
const colour = (id) => `c${list.findIndex((person) => person.id === id) % 8}`;

const avatar = ({ id, initials }) => el("span", { class: `av ${colour(id)}`, "aria-hidden": "true" }, initials);

function badge(person, before) {
  if (!person.unread) return null;
  const made = el("span", { class: "n" }, String(person.unread), el("span", { class: "sr" }, " unread"));
  if (before !== undefined && person.unread > before) made.classList.add("pop");
  return made;
}

function button(person, before) {
  const made = el(
    "button", { type: "button", class: "person", title: `${person.name}, ${person.line}` }, avatar(person),
    el("span", { class: "t" }, el("b", {}, person.name), el("small", {}, person.line)), badge(person, before),
  );
  made.dataset.id = person.id;
  if (person.id === picked) made.setAttribute("aria-current", "true");
  made.addEventListener("click", () => {
    goTo(person.id);
    made.dispatchEvent(new CustomEvent("picked", { bubbles: true }));
  });
  return made;
}

/** Draw the list anew; a count that rose pops. */
export function show(people) {
  const before = new Map(list.map((person) => [person.id, person.unread]));
  const focused = document.activeElement?.dataset?.id;
  list = people;
  $("groups").replaceChildren(...GROUPS.flatMap(([group, title]) => {
    const members = people.filter((person) => person.group === group);
    return members.length ? [el("h2", {}, title), ...members.map((each) => button(each, before.get(each.id)))] : [];
  }));
  if (focused) $("groups").querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  const others = people.reduce((sum, person) => sum + (person.id === picked ? 0 : person.unread), 0);
  $("unread-total").hidden = others === 0;
  $("unread-total").textContent = String(others);
}

/** Mark who is picked and name them above the conversation. */
export function mark(person) {
  picked = person.id;
  show(list);
  $("groups").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  $("who").textContent = $("top-name").textContent = person.name;
  $("greeting").textContent = person.greeting ?? `${person.line.split(",")[0]}. This is the same chat as in Teams or Slack.`;
  $("top-line").textContent = person.line;
  $("top-av").className = `av ${colour(person.id)}`;
  $("top-av").textContent = person.initials;
}

/** Alt+↑ and Alt+↓. */
export function step(by) {
  const order = GROUPS.flatMap(([group]) => list.filter((person) => person.group === group));
  const at = order.findIndex((person) => person.id === picked);
  goTo(order[(at + by + order.length) % order.length].id);
}
