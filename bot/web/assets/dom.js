// Small things that every part of the page uses.

export const $ = (id) => document.getElementById(id);

/** Make an element: properties, then children (text is text, never markup). */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export const still = matchMedia("(prefers-reduced-motion: reduce)");
export const narrow = matchMedia("(max-width: 759px)");

/** Storage of the browser, where it is allowed. */
export const kept = {
  get(name) {
    try { return localStorage.getItem(`reclaim.${name}`); } catch { return null; }
  },
  set(name, value) {
    try { localStorage.setItem(`reclaim.${name}`, value); } catch { /* Kept for this page only. */ }
  },
};

let zone = "UTC";
export const setZone = (name) => { zone = name; };

function parts(at) {
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(new Date(at));
  return Object.fromEntries(made.map(({ type, value }) => [type, value]));
}

export function day(at) {
  const { weekday, day: number, month, year } = parts(at);
  return `${weekday} ${number} ${month.slice(0, 3)} ${year}`;
}

export function time(at) {
  const { hour, minute } = parts(at);
  return `${hour}:${minute}`;
}

/** A sum in minor units: "$148.00", "CA$20.00", "1,204.00 SEK". */
export function money(minor, currency) {
  const format = new Intl.NumberFormat("en-US", { style: "currency", currency });
  const text = format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  const code = /^([A-Z]{3})\s(.+)$/.exec(text);
  return code ? `${code[2]} ${code[1]}` : text;
}

let hideToast = 0;

/** Say one sentence where the person is; a refusal stays longer. */
export function toast(text, { error = false } = {}) {
  const box = $("toast");
  box.querySelector("p").textContent = text;
  box.classList.toggle("error", error);
  box.hidden = false;
  clearTimeout(hideToast);
  hideToast = setTimeout(() => { box.hidden = true; }, error ? 10_000 : 5_000);
}

export const hush = () => { $("toast").hidden = true; };

$("toast").querySelector("button").addEventListener("click", hush);

/** Ask a question; true if the answer is yes. The answer looks like the button that asked. */
export function confirm(question, yes, look = "b") {
  const dialog = $("confirm");
  $("confirm-text").textContent = question;
  $("confirm-yes").textContent = yes;
  $("confirm-yes").className = look;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
