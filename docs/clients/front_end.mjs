// A front-end for one agent. In a browser: import { FrontEnd } from "./front_end.mjs". In Node 20 it runs by itself:
//   node front_end.mjs http://127.0.0.1:8600 anna PASSWORD
// and prints what the feed says, a JSON line each, and takes orders, a line each:
//   accept OFFER | decline OFFER | release CONVERSATION | presence online | quit

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

export class FrontEnd {
  static async signIn(url, username, password) {
    const me = new FrontEnd();
    Object.assign(me, { url, token: "", lastEventId: "", stopped: false });
    const session = await me.ask("POST", "/agent/v1/sessions", { username, password });
    if (!session.token) throw new Error(session.detail);
    me.token = session.token;
    return me;
  }

  // online, no_new, away or offline. Begins a lease; `beat` and an open feed keep it.
  presence(presence) {
    return this.ask("PUT", "/routing/v1/presence", { presence });
  }

  // Renews the lease until `stopped`. Only needed while no feed is open.
  async beat(seconds = 20) {
    for (; !this.stopped; await pause(seconds))
      await this.ask("POST", "/routing/v1/presence/heartbeat").catch(() => {}); // the next one comes in time
  }

  // Every event, once and in order. A cut is followed by a new connection that goes on where the old one was.
  async *feed() {
    for (; !this.stopped; await pause(1)) {
      const headers = { Authorization: `Bearer ${this.token}` };
      if (this.lastEventId) headers["Last-Event-ID"] = this.lastEventId;
      const cut = new AbortController();
      try {
        const answer = await fetch(this.url + "/routing/v1/feed", { headers, signal: cut.signal });
        if (answer.status === 401) throw new Error("the session has ended: sign in again");
        if (answer.ok) yield* this.events(answer.body, cut);
      } catch (error) {
        if (String(error.message).startsWith("the session")) throw error;
      } finally {
        cut.abort();
      }
    }
  }

  async *events(body, cut) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; ; ) {
      // The host says something at least every 15 s: 40 s of silence is a dead connection.
      const silence = setTimeout(() => cut.abort(), 40_000);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      const blocks = (text + value).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2)));
        if (fields.data === undefined) continue;
        this.lastEventId = fields.id ?? this.lastEventId;
        yield { id: this.lastEventId, event: fields.event, ...JSON.parse(fields.data) };
      }
    }
  }

  // Each answers with the new state, or with the problem document that says what happened instead.
  accept = (offer) => this.order(`/routing/v1/offers/${offer}/accept`);
  decline = (offer, reason = "") => this.order(`/routing/v1/offers/${offer}/decline`, { reason });
  release = (id, reason = "") => this.order(`/routing/v1/conversations/${id}/release`, { reason });

  async order(path, body) {
    const key = { "Idempotency-Key": crypto.randomUUID() }; // the same at each try, so that it counts once
    for (let left = 5; left > 0; left--, await pause(1)) {
      const answer = await this.ask("POST", path, body, key).catch(() => ({ status: 503 }));
      if (answer.status !== 503 && !answer.location) return answer;
    }
    throw new Error(`no answer to ${path}: read the state again before you go on`);
  }

  async ask(method, path, body, more = {}) {
    const headers = { "Content-Type": "application/json", ...more };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    return (await fetch(this.url + path, { method, headers, body: JSON.stringify(body) })).json();
  }
}

if (globalThis.process?.argv[1]?.endsWith("front_end.mjs")) {
  const me = await FrontEnd.signIn(...process.argv.slice(2, 5));
  const say = (event) => console.log(JSON.stringify(event));
  await me.presence("online");
  me.beat();
  (async () => { for await (const event of me.feed()) say(event); })();
  for await (const line of (await import("node:readline")).createInterface({ input: process.stdin })) {
    const [verb, ...words] = line.split(" ");
    if (verb === "quit") break;
    say({ order: verb, answer: await me[verb](...words) });
  }
  await me.presence("offline");
  process.exit(0);
}
