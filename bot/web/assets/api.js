// Requests to the server. A window acts as one persona through a session; the guide opens further ones to play the others.

export class Refusal extends Error {
  constructor(status, { code, message } = {}) {
    super(message ?? "That did not work. Try again.");
    this.status = status;
    this.code = code;
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {}

export const newKey = () => crypto.randomUUID();

async function request(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`/rehearsal${path}`, { credentials: "same-origin", cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable("Not saved. Your answers are still here. Try again.");
  }
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new Refusal(answer.status, body.error);
}

const posting = (body, headers) => ({
  method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body),
});

export const people = async () => (await request("/personas")).json();

/** What one persona may do. */
export class Session {
  static async open(persona) {
    const answer = await request(`/personas/${encodeURIComponent(persona)}/session`, posting({}));
    return new Session(await answer.json());
  }

  constructor({ session, csrf, persona }) {
    this.persona = persona;
    this.headers = { "X-Persona-Session": session, "X-CSRF-Token": csrf };
  }

  async get(path) { return (await request(path, { headers: this.headers })).json(); }
  async post(path, body) { return (await request(path, posting(body, this.headers))).json(); }

  messages() { return this.get("/messages"); }
  tenant() { return this.get("/tenant"); }
  suggestions() { return this.get("/suggestions").then(({ suggestions }) => suggestions); }
  people(text) { return this.get(`/people?q=${encodeURIComponent(text)}`).then((answer) => answer.people); }
  command(text, key = newKey()) { return this.post("/commands", { text, key }); }
  advance(step) { return this.post("/clock", { advance: step }); }

  action(message, { verb, ref, batch }, inputs = {}, key = newKey()) {
    return this.post("/actions", { message_id: message, verb, ref, batch: batch || null, v: 1, inputs, key });
  }

  /** Fetch a file of this persona and hand it to the browser; a plain link could not carry the session. */
  async download(href, name) {
    const answer = await request(href.replace(/^\/rehearsal/, ""), { headers: this.headers });
    const address = URL.createObjectURL(await answer.blob());
    const said = /filename\*=UTF-8''([^;]+)/.exec(answer.headers.get("Content-Disposition") ?? "");
    const link = Object.assign(document.createElement("a"), {
      href: address, download: said ? decodeURIComponent(said[1]) : name,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  /** Yield the lines of the live stream until it ends or is aborted. */
  async *events(after, calls, signal) {
    const answer = await request(`/events?after=${after}&calls=${calls}`, { headers: this.headers, signal });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line) yield JSON.parse(line);
    }
  }
}
