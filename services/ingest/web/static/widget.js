// The chat widget. One script tag, no dependency, nothing inline: it works under a policy that names only our host in
// script-src and connect-src. What people write is set as text, never as markup.
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || window.Centralino) return;

  const LANGUAGES = ["en", "it", "ro", "ar", "fr", "pt", "es", "de"];
  const options = { ...script.dataset };
  const form = options.mode === "form";
  const base = new URL(".", script.src).href;
  const account = encodeURIComponent(options.account || "default");
  const api = `${base}widget/${form ? "web" : "chat"}/${account}/`;
  const language = chooseLanguage();
  // The visitor's own way to write times, where it is of the language that is shown.
  const locale = (navigator.languages || []).find((one) => one.split("-")[0] === language) || language;
  const rtl = language === "ar";
  const DAY_MS = 86_400_000;
  const HIDDEN_MS = 30_000;
  const SILENT_MS = 45_000;
  const FINAL = new Set([400, 403, 404, 413, 415, 422]);

  function chooseLanguage() {
    const wanted = [options.language, document.documentElement.lang, ...(navigator.languages || [])];
    const short = wanted.map((one) => (one || "").toLowerCase().split("-")[0]);
    return short.find((one) => LANGUAGES.includes(one)) || "en";
  }

  // ---- What outlives the page: session, draft, and messages not yet taken by the server.

  const EMPTY = { session: "", before: "", visitor: "", expires: 0, conversation: "", brand: "", seen: 0, draft: "", files: [], fields: {}, queue: [] };
  const key = `centralino ${api}`;
  let memory = "";

  function stored() {
    let text = memory;
    try {
      text = localStorage.getItem(key) || "";
    } catch {
      // Blocked storage: what is typed lives as long as the page.
    }
    try {
      const found = JSON.parse(text || "{}");
      return { ...EMPTY, ...found, queue: Array.isArray(found.queue) ? found.queue : [] };
    } catch {
      return { ...EMPTY };
    }
  }

  function store(change) {
    memory = JSON.stringify({ ...stored(), ...change });
    try {
      localStorage.setItem(key, memory);
    } catch {
      // As above.
    }
  }

  function changeQueue(change) {
    store({ queue: change(stored().queue) });
  }

  // Files wait in the browser's own database, as texts do in its storage; where that is blocked, as long as the page lives.
  const kept = new Map();

  function inFiles(mode, work) {
    return new Promise((done, failed) => {
      const opened = indexedDB.open("centralino", 1);
      opened.onupgradeneeded = () => opened.result.createObjectStore("files");
      opened.onerror = () => failed(opened.error);
      opened.onsuccess = () => {
        const asked = work(opened.result.transaction("files", mode).objectStore("files"));
        asked.onsuccess = () => done(asked.result);
        asked.onerror = () => failed(asked.error);
      };
    });
  }

  function keepFile(id, file) {
    kept.set(id, file);
    inFiles("readwrite", (all) => all.put(file, id)).catch(() => {});
  }

  async function keptFile(id) {
    return kept.get(id) || inFiles("readonly", (all) => all.get(id)).catch(() => undefined);
  }

  function dropFile({ id }) {
    kept.delete(id);
    progress.delete(id);
    inFiles("readwrite", (all) => all.delete(id)).catch(() => {});
  }

  function newId() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
  }

  // ---- Talking to the server.

  class Refused extends Error {
    constructor(status, retryAfter) {
      super(`status ${status}`);
      this.status = status;
      this.retryMs = 1000 * Math.min(Number(retryAfter) || 0, 300);
    }
  }

  let identity = options.identity || "";
  let opening = null;

  function visitorOf(token) {
    try {
      const bytes = atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
      const text = new TextDecoder().decode(Uint8Array.from(bytes, (one) => one.charCodeAt(0)));
      return `customer:${JSON.parse(text).sub}`;
    } catch {
      return "customer:";
    }
  }

  // Somebody else sits here now: nothing of the one before stays. What a visitor typed before signing in is theirs still.
  function checkVisitor() {
    const known = stored();
    const wanted = identity && visitorOf(identity);
    const wasCustomer = known.visitor.startsWith("customer:");
    if (wasCustomer && known.visitor !== wanted) {
      [...known.files, ...known.queue.flatMap((one) => one.files || [])].forEach(dropFile);
      store(EMPTY);
    } else if (wanted && !wasCustomer && known.visitor) store({ session: "", before: known.session, visitor: "", conversation: "", seen: 0 });
    else return;
    forget();
  }

  async function ask(path, init) {
    const answer = await fetch(api + path, { credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer", ...init });
    if (!answer.ok) throw new Refused(answer.status, answer.headers.get("Retry-After"));
    return answer;
  }

  function post(path, body, headers) {
    return ask(path, {
      method: "POST",
      keepalive: true,
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    }).then((answer) => answer.json());
  }

  async function openSession() {
    const known = stored();
    const asked = identity;
    // Who signs in shows which browser they were: what was said before goes on.
    const going = known.session || (identity && known.before);
    const given = await post("sessions", { identity, language }, going ? { "X-Widget-Session": going } : {});
    // Somebody signed in or out meanwhile: this session is not theirs.
    if (asked !== identity) return openSession();
    if (known.visitor && known.visitor !== given.visitor) forget();
    const conversation = given.conversation_id || "";
    store({ session: given.session, before: "", visitor: given.visitor, expires: Date.parse(given.expires_at), conversation, brand: given.brand });
    most = given.most_text;
    mostFiles = given.most_files;
    mostBytes = given.most_file_bytes;
    showHead();
    return given.session;
  }

  function session() {
    const known = stored();
    const enough = identity ? 60_000 : DAY_MS;
    if (known.session && known.expires - Date.now() > enough) return Promise.resolve(known.session);
    opening ||= openSession()
      .catch((error) => {
        // The site's word for who it is has ended: it has to give a new one.
        if (identity && error.status) store({ session: "" });
        throw error;
      })
      .finally(() => (opening = null));
    return opening;
  }

  function join() {
    session().then(follow, (error) => error.status === 503 && setTimeout(join, error.retryMs || 2000));
  }

  // A session that is not taken any more is replaced once.
  async function asVisitor(call) {
    try {
      return await call(await session());
    } catch (error) {
      if (error.status !== 401) throw error;
      store({ session: "" });
      return call(await session());
    }
  }

  // ---- Sending: one at a time, in order, until the server has it.

  let flushing = false;
  let flushTimer = 0;
  let failures = 0;

  async function flush() {
    clearTimeout(flushTimer);
    if (flushing) return;
    flushing = true;
    try {
      for (let next; (next = stored().queue.find((one) => !one.failed)); connected(true)) await send(next);
    } catch (error) {
      failures += 1;
      connected(Boolean(error.status));
      const wait = error.retryMs || Math.min(60_000, 1000 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2);
      flushTimer = setTimeout(flush, wait);
    } finally {
      flushing = false;
      show();
    }
  }

  async function send({ id, text, subject, name, email, files: attached = [] }) {
    const headers = stored().conversation ? {} : { Prefer: "wait=5" };
    let given;
    try {
      for (const file of attached.filter((one) => !one.sent)) {
        const content = await keptFile(file.id);
        if (!content) throw new Refused(404);
        await asVisitor((token) => upload(file, content, token));
        changeQueue((queue) => queue.map((one) => (one.id === id ? { ...one, files: one.files.map((other) => (other.id === file.id ? { ...other, sent: true } : other)) } : one)));
      }
      const files = attached.map((one) => one.id);
      given = await asVisitor((token) =>
        post("messages", { id, text, files, subject, name, email }, { ...headers, "X-Widget-Session": token }),
      );
    } catch (error) {
      // Without a session nothing is known of the message: it waits.
      if (!FINAL.has(error.status) || !stored().session) throw error;
      changeQueue((queue) => queue.map((one) => (one.id === id ? { ...one, failed: true } : one)));
      return;
    }
    failures = 0;
    const taken = stored().queue.find((one) => one.id === id);
    if (taken && !seenIds.has(id)) accepted.push(taken);
    changeQueue((queue) => queue.filter((one) => one.id !== id));
    attached.forEach(dropFile);
    if (given.conversation_id) store({ conversation: given.conversation_id });
    show();
    follow();
  }

  const progress = new Map();

  // Only the older way of asking tells how far a file has gone.
  function upload(file, content, token) {
    return new Promise((done, failed) => {
      const asked = new XMLHttpRequest();
      asked.open("POST", `${api}files?${new URLSearchParams({ id: file.id, name: file.name, kind: file.type })}`);
      asked.setRequestHeader("X-Widget-Session", token);
      asked.setRequestHeader("Content-Type", "application/octet-stream");
      asked.upload.onprogress = (event) => {
        progress.set(file.id, Math.floor((100 * event.loaded) / (event.total || 1)));
        show();
      };
      asked.onload = () => (asked.status < 300 ? done() : failed(new Refused(asked.status, asked.getResponseHeader("Retry-After"))));
      asked.onerror = asked.onabort = () => failed(new Error("away"));
      asked.send(content);
    });
  }

  function write(text, more) {
    changeQueue((queue) => [...queue, { id: newId(), text, at: Date.now(), ...more }]);
    store({ draft: "", files: [] });
    show();
    flush();
  }

  // ---- Following the conversation: server-sent events, read by fetch, since EventSource sends no header.

  let entries = new Map();
  let accepted = [];
  const seenIds = new Set();
  let followed = null;
  let current = "";
  let last = 0;
  let reference = "";
  let agentRead = 0;
  let lost = 0;
  let begunAt = 0;

  function forget() {
    entries = new Map();
    accepted = [];
    seenIds.clear();
    current = reference = "";
    last = agentRead = 0;
    followed?.abort();
    if (box) showDraft();
  }

  async function follow() {
    if (followed || document.hidden || !(stored().conversation || accepted.length)) return;
    const mine = (followed = new AbortController());
    try {
      await asVisitor((token) => read(token, mine));
      lost = 0;
    } catch (error) {
      lost = mine.signal.aborted ? 0 : lost + 1;
      if (!mine.signal.aborted && !error.status) connected(false);
      if (error.status === 404 && !accepted.length) store({ conversation: "" });
    } finally {
      followed = null;
    }
    if (!document.hidden) setTimeout(follow, Math.min(30_000, 500 * 2 ** lost));
  }

  async function read(token, mine) {
    let silent;
    const alive = () => {
      clearTimeout(silent);
      silent = setTimeout(() => mine.abort(), SILENT_MS);
    };
    alive();
    try {
      const answer = await ask(`events?conversation=${encodeURIComponent(current)}`, {
        headers: { "X-Widget-Session": token, "Last-Event-ID": String(last) },
        signal: mine.signal,
      });
      connected(true);
      if (stored().queue.some((one) => !one.failed)) flush();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        alive();
        const parts = (text + value).split("\n\n");
        text = parts.pop();
        parts.forEach(hear);
        show();
      }
    } finally {
      clearTimeout(silent);
    }
  }

  function hear(part) {
    const lines = Object.fromEntries(part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
    if (!lines.data) return;
    const data = JSON.parse(lines.data);
    if (lines.event === "conversation") begin(data);
    if (lines.event === "read") agentRead = data.agent_read_message_seq;
    if (lines.event === "typing") showTyping();
    if (lines.event === "entry") take(data);
  }

  function begin(data) {
    if (current !== data.conversation_id) {
      entries = new Map();
      last = 0;
    }
    current = data.conversation_id;
    reference = data.case_reference;
    agentRead = data.agent_read_message_seq;
    begunAt = performance.now();
    store({ conversation: current, seen: data.customer_read_entry_seq });
    showHead();
  }

  function take(entry) {
    last = entry.entry_seq;
    // What was said before one came is not read out, whatever the clocks say.
    const isNew = Date.now() - Date.parse(entry.at) < 60_000 || performance.now() - begunAt > 2000;
    entries.set(entry.entry_seq, entry);
    if (entry.id) {
      seenIds.add(entry.id);
      accepted = accepted.filter((one) => one.id !== entry.id);
      changeQueue((queue) => queue.filter((one) => one.id !== entry.id));
    }
    if (isTheirs(entry)) {
      if (entry.kind !== "notice") hideTyping();
      if (isNew) say(`${teamName()}: ${entry.text}`);
    }
  }

  let readTimer = 0;

  function noteRead() {
    const newest = Math.max(0, ...[...entries.values()].filter(isTheirs).map((one) => one.entry_seq));
    if (!isOpen() || document.hidden || newest <= stored().seen) return;
    store({ seen: newest });
    clearTimeout(readTimer);
    readTimer = setTimeout(() => act({ read_entry_seq: newest }), 300);
  }

  function act(what) {
    if (current) asVisitor((token) => post("activity", what, { "X-Widget-Session": token })).catch(() => {});
  }

  function isTheirs(entry) {
    return ["reply", "notice", "survey"].includes(entry.kind);
  }

  // ---- What is seen.

  let t = {};
  let most = 8000;
  let mostFiles = 5;
  let mostBytes = 10_485_760;
  let online = navigator.onLine;
  let root, launcher, badge, panel, head, log, offline, typing, status, composer, box, count, fields, picker, chosen, fault;
  let typingTimer = 0;
  let typedAt = 0;

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((one) => one !== null && one !== undefined));
    return element;
  }

  function icon(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }

  const ICONS = {
    chat: "M12 3.5c-5 0-9 3.4-9 7.7 0 2.4 1.3 4.6 3.3 6-.1 1.100-.6 2.200-1.500 3.100 1.700-.1 3.300-.7 4.500-1.600.9.2 1.800.3 2.700.3 5 0 9-3.500 9-7.800S17 3.500 12 3.500Z",
    close: "M6 6l12 12M18 6L6 18",
    clip: "M20 11.500l-8 8a5 5 0 0 1-7-7l8.500-8.500a3.300 3.300 0 0 1 4.700 4.700l-8.500 8.500a1.600 1.600 0 0 1-2.300-2.300l7.800-7.800",
    send: "M4.500 12L3.500 4.500 21 12 3.500 19.500 4.500 12ZM4.500 12H12",
  };

  function teamName() {
    return options.title || stored().brand || t.team;
  }

  function build() {
    const host = document.createElement("centralino-widget");
    const shadow = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
    badge = make("span", { class: "badge", hidden: true });
    launcher = make(
      "button",
      { class: "launcher", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => (isOpen() ? close() : open()) },
      icon(ICONS.chat),
      badge,
    );
    status = make("div", { class: "hidden", role: "status", "aria-live": "polite" });
    root = make("div", { class: "root", dir: rtl ? "rtl" : "ltr", lang: language }, launcher, status);
    if (options.position === "start") root.classList.add("start");
    paint(root);
    shadow.append(root);
    document.body.append(host);
    showBadge();
  }

  // An accent of the operator's, as #rrggbb; the ink on it is black or white, whichever is read better.
  function paint(element) {
    if (!/^#[0-9a-f]{6}$/i.test(options.color || "")) return;
    const [red, green, blue] = [1, 3, 5]
      .map((at) => parseInt(options.color.slice(at, at + 2), 16) / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    const bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    element.style.setProperty("--accent", options.color);
    element.style.setProperty("--on-accent", bright > 0.179 ? "#000" : "#fff");
  }

  function buildPanel() {
    head = make("div", { class: "names" });
    log = make("ol", { class: "log", "aria-label": t.conversation, tabindex: "0" });
    offline = make("p", { class: "offline", hidden: true }, t.offline);
    typing = make("p", { class: "typing", hidden: true }, make("i"), make("i"), make("i"), make("span", {}, t.typing));
    box = make("textarea", {
      id: "text",
      rows: form ? "4" : "1",
      maxlength: String(most),
      placeholder: t.placeholder,
      "aria-describedby": "count",
      dir: "auto",
      oninput: typed,
      onpaste: (event) => {
        if (!event.clipboardData.files.length) return;
        event.preventDefault();
        choose(event.clipboardData.files);
      },
      onkeydown: (event) => {
        const coarse = matchMedia("(pointer: coarse)").matches;
        if (event.key !== "Enter" || event.shiftKey || event.isComposing || coarse || composer.classList.contains("form")) return;
        event.preventDefault();
        composer.requestSubmit();
      },
    });
    count = make("span", { class: "count", id: "count", hidden: true });
    const field = (name, type, required) =>
      make("label", {}, make("span", {}, t[name], required ? "" : ` (${t.optional})`), make("input", { name, type, required, maxlength: "200", autocomplete: { name: "name", email: "email" }[name] || "off", dir: "auto", oninput: typed }));
    fields = make("div", { class: "fields" });
    if (form) fields.append(make("p", { class: "intro" }, options.greeting || t.form_intro), field("name", "text", false), field("email", "email", true), field("subject", "text", false));
    const button = make("button", { class: "send", type: "submit", "aria-label": t.send }, icon(ICONS.send), make("span", {}, t.send));
    picker = make("input", { type: "file", multiple: true, hidden: true, tabindex: "-1", "aria-hidden": "true", onchange: () => { choose(picker.files); picker.value = ""; } });
    const attach = make("button", { class: "attach", type: "button", "aria-label": t.attach, "aria-describedby": "limits", onclick: () => picker.click() }, icon(ICONS.clip), make("span", {}, t.attach));
    chosen = make("ul", { class: "chosen", "aria-label": t.files, hidden: true });
    fault = make("p", { class: "fault", role: "alert", hidden: true });
    const limits = make("small", { class: "limits", id: "limits" });
    composer = make("form", { class: "composer", onsubmit: submit }, fields, chosen, fault, make("div", { class: "line" }, make("label", { for: "text", class: "over" }, t.label), ...(form ? [box, attach] : [attach, box]), picker, button), limits, count);
    panel = make(
      "div",
      { class: "panel", role: "dialog", "aria-modal": "true", "aria-label": teamName(), hidden: true, onkeydown: keys, ondragover: dragged, ondragleave: dragged, ondrop: dragged },
      make("div", { class: "head" }, make("div", { class: "face", "aria-hidden": "true" }, icon(ICONS.chat)), head, make("button", { class: "close", type: "button", "aria-label": t.close, onclick: () => close() }, icon(ICONS.close))),
      offline,
      make("div", { class: "middle" }, log, typing),
      composer,
    );
    root.prepend(panel);
    showDraft();
    showHead();
  }

  function showDraft() {
    const kept = stored();
    box.value = kept.draft;
    for (const input of fields.querySelectorAll("input")) input.value = kept.fields[input.name] || "";
    showChosen();
  }

  function isOpen() {
    return Boolean(panel) && !panel.hidden;
  }

  function open() {
    if (!launcher) return void (options.open = "true");
    if (!panel) buildPanel();
    panel.hidden = false;
    launcher.setAttribute("aria-expanded", "true");
    launcher.setAttribute("aria-label", t.close);
    root.classList.add("opened");
    show();
    grow();
    (form && isBlank() ? fields.querySelector("input") : box).focus();
    log.scrollTop = log.scrollHeight;
    session().then(follow, () => connected(false));
  }

  function close() {
    if (!isOpen()) return;
    panel.hidden = true;
    launcher.setAttribute("aria-expanded", "false");
    root.classList.remove("opened");
    showBadge();
    launcher.focus();
  }

  function keys(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
    if (event.key !== "Tab") return;
    const all = [...panel.querySelectorAll("button, textarea, input, a, [tabindex='0']")].filter((one) => one.getClientRects().length && !one.disabled);
    const edge = event.shiftKey ? all[0] : all[all.length - 1];
    if (root.getRootNode().activeElement !== edge) return;
    event.preventDefault();
    (event.shiftKey ? all[all.length - 1] : all[0]).focus();
  }

  function dragged(event) {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    panel.classList.toggle("drop", event.type === "dragover");
    if (event.type === "drop") choose(event.dataTransfer.files);
  }

  function choose(list) {
    const already = [...stored().files];
    const faults = [];
    for (const file of list) {
      const name = file.name || "file";
      if (already.length >= mostFiles) {
        faults.push(filled(t.too_many));
        break;
      }
      if (!file.size || file.size > mostBytes) {
        faults.push(filled(file.size ? t.too_large : t.empty_file).replace("{name}", name));
        continue;
      }
      const id = newId();
      keepFile(id, file);
      already.push({ id, name, size: file.size, type: file.type });
    }
    store({ files: already });
    showChosen();
    fault.textContent = faults.join(" ");
    fault.hidden = !faults.length;
    box.focus();
  }

  function filled(text) {
    return text.replace("{count}", new Intl.NumberFormat(locale).format(mostFiles)).replace("{size}", sized(mostBytes));
  }

  function sized(bytes) {
    const large = bytes >= 1_000_000;
    const format = new Intl.NumberFormat(locale, { style: "unit", unit: large ? "megabyte" : "kilobyte", maximumFractionDigits: large ? 1 : 0 });
    return format.format(large ? bytes / 1_048_576 : Math.max(1, bytes / 1024));
  }

  function showChosen() {
    const already = stored().files;
    composer.querySelector(".limits").textContent = filled(t.limits);
    chosen.hidden = !already.length;
    chosen.replaceChildren(
      ...already.map((file) =>
        make("li", {}, make("bdi", {}, file.name), make("small", {}, sized(file.size)), make("button", { type: "button", "aria-label": `${t.remove}: ${file.name}`, onclick: () => unchoose(file) }, icon(ICONS.close))),
      ),
    );
  }

  function unchoose(file) {
    store({ files: stored().files.filter((one) => one.id !== file.id) });
    dropFile(file);
    fault.hidden = true;
    showChosen();
    box.focus();
  }

  async function openFile(file) {
    const answer = await asVisitor((token) => ask(`file?id=${encodeURIComponent(file.id)}`, { headers: { "X-Widget-Session": token } }));
    const address = URL.createObjectURL(await answer.blob());
    make("a", { href: address, download: file.name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  function typed() {
    grow();
    store({ draft: box.value, fields: Object.fromEntries([...fields.querySelectorAll("input")].map((one) => [one.name, one.value])) });
    const left = most - box.value.length;
    count.hidden = left > most / 10;
    count.textContent = t.left.replace("{count}", new Intl.NumberFormat(locale).format(left));
    if (box.value && Date.now() - typedAt > 4000) {
      typedAt = Date.now();
      act({ typing: true });
    }
  }

  function grow() {
    // What is written has its own direction; an empty field has the language's.
    for (const one of composer.querySelectorAll("textarea, input")) one.dir = one.value ? "auto" : root.dir;
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight + 2, 150)}px`;
  }

  function submit(event) {
    event.preventDefault();
    const text = box.value.trim();
    const files = stored().files;
    if (!(text || files.length) || !composer.reportValidity()) return void box.focus();
    const more = { ...(form && isBlank() ? Object.fromEntries(new FormData(composer)) : {}), ...(files.length ? { files } : {}) };
    fault.hidden = true;
    box.value = "";
    typedAt = 0;
    count.hidden = true;
    write(text, more);
    showChosen();
    if (form) store({ fields: {} });
    grow();
    box.focus();
  }

  function isBlank() {
    return !entries.size && !accepted.length && !stored().queue.length && !stored().conversation;
  }

  function connected(yes) {
    online = yes && navigator.onLine;
    show();
  }

  function say(text) {
    if (status) status.textContent = text;
  }

  function showTyping() {
    if (!panel) return;
    typing.hidden = false;
    say(t.typing);
    clearTimeout(typingTimer);
    typingTimer = setTimeout(hideTyping, 6000);
    if (isAtEnd()) typing.scrollIntoView({ block: "nearest" });
  }

  function hideTyping() {
    if (typing) typing.hidden = true;
  }

  function showHead() {
    if (!panel) return;
    const below = reference ? t.reference.replace("{reference}", reference) : t.subtitle;
    head.replaceChildren(make("strong", {}, teamName()), make("small", {}, below));
    panel.setAttribute("aria-label", teamName());
    box.maxLength = most;
  }

  function showBadge() {
    if (!launcher) return;
    const { seen } = stored();
    const unread = isOpen() ? 0 : [...entries.values()].filter((one) => isTheirs(one) && one.entry_seq > seen).length;
    badge.hidden = !unread;
    badge.textContent = unread > 9 ? "9+" : String(unread);
    if (!isOpen()) launcher.setAttribute("aria-label", unread ? `${t.open}. ${t.unread.replace("{count}", unread)}` : t.open);
  }

  function isAtEnd() {
    return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  }

  let drawn = [];

  function show() {
    showBadge();
    if (!isOpen()) return;
    offline.hidden = online;
    composer.classList.toggle("form", form && isBlank());
    fields.hidden = !(form && isBlank());
    const tall = fields.hidden ? 1 : 4;
    if (box.rows !== tall) {
      box.rows = tall;
      grow();
    }
    for (const input of fields.querySelectorAll("input")) input.disabled = fields.hidden;
    const end = isAtEnd();
    const rows = lines();
    rows.forEach((one, index) => {
      const value = JSON.stringify(one);
      if (drawn[index] === value) return;
      drawn[index] = value;
      const made = row(one);
      if (log.children[index]) log.children[index].replaceWith(made);
      else log.append(made);
    });
    drawn.length = rows.length;
    while (log.children.length > rows.length) log.lastChild.remove();
    if (end) log.scrollTop = log.scrollHeight;
    noteRead();
  }

  // Rows as plain values: what is on the screen is changed only where they are.
  function lines() {
    const known = [...entries.values()].sort((one, other) => one.entry_seq - other.entry_seq);
    const lastReply = Math.max(0, ...known.filter((one) => one.kind === "reply").map((one) => one.entry_seq));
    const rows = form && isBlank() ? [] : [{ kind: "them", text: options.greeting || (form ? t.form_thanks : t.greeting) }];
    let day = "";
    for (const entry of known) {
      const at = new Date(entry.at);
      const itsDay = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" }).format(at);
      if (itsDay !== day) rows.push({ kind: "day", text: (day = itsDay) });
      if (entry.kind === "resolved") rows.push({ kind: "note", text: t.resolved });
      else if (entry.kind === "customer") {
        const isRead = entry.message_seq <= agentRead || entry.entry_seq < lastReply;
        rows.push({ kind: "me", text: entry.text, files: entry.files, at: time(at), state: isRead ? t.read : t.sent });
      } else rows.push({ kind: "them", text: entry.text, at: time(at) });
    }
    const waiting = stored().queue.filter((one) => !seenIds.has(one.id));
    for (const one of accepted) rows.push({ kind: "me", text: one.text, files: one.files, at: time(one.at), state: t.sent });
    for (const one of waiting) {
      const state = one.failed ? t.failed : online ? t.sending : t.waiting;
      const files = one.files?.map((file) => ({ ...file, done: file.sent ? 100 : progress.get(file.id) || 0 }));
      rows.push({ kind: "me", text: one.text, files, at: time(one.at), state, failed: one.failed && one.id, waits: true });
    }
    // One's own messages show their state where it differs from the next one's.
    const own = rows.filter((one) => one.kind === "me");
    own.forEach((one, index) => {
      if (!one.failed && own[index + 1]?.state === one.state) delete one.state;
    });
    return rows.map(({ at, state, ...one }, index) => {
      const closes = state || rows[index + 1]?.kind !== one.kind;
      return { ...one, first: rows[index - 1]?.kind !== one.kind, below: closes ? [at, state].filter(Boolean).join(" · ") : "" };
    });
  }

  function time(at) {
    return new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }).format(at);
  }

  function row(one) {
    if (one.kind === "day" || one.kind === "note") return make("li", { class: one.kind }, one.text);
    const item = make("li", { class: `${one.kind}${one.first ? " first" : ""}${one.waits ? " waits" : ""}${one.failed ? " failed" : ""}` });
    item.append(make("span", { class: "hidden" }, one.kind === "me" ? `${t.you}: ` : `${teamName()}: `));
    if (one.text) item.append(make("p", { dir: "auto" }, ...linked(one.text)));
    for (const file of one.files || []) item.append(fileRow(file, one.waits));
    if (one.below) item.append(make("small", {}, one.below));
    if (one.failed) {
      const change = (how) => () => {
        changeQueue((queue) => queue.flatMap((other) => (other.id === one.failed ? how(other) : [other])));
        showChosen();
        show();
        flush();
        box.focus();
      };
      item.append(
        make("span", { class: "acts" }, make("button", { type: "button", onclick: change((other) => [{ ...other, failed: false, files: other.files?.map((file) => ({ ...file, sent: false })) }]) }, t.retry), make("button", { type: "button", onclick: change(() => []) }, t.remove)),
      );
    }
    return item;
  }

  function fileRow(file, waits) {
    const label = [make("bdi", {}, file.name), make("small", {}, file.size ? sized(file.size) : "")];
    if (waits) return make("span", { class: "file" }, icon(ICONS.clip), ...label, make("progress", { max: "100", value: String(file.done), "aria-label": file.name }));
    if (file.state !== "stored") return make("span", { class: "file" }, icon(ICONS.clip), ...label);
    return make("button", { class: "file", type: "button", "aria-label": `${t.open_file}: ${file.name}`, onclick: () => openFile(file).catch(() => connected(false)) }, icon(ICONS.clip), ...label);
  }

  // Addresses become links, by their scheme alone; everything else is text.
  function linked(text) {
    return text.split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/).map((part, index) =>
      index % 2 ? make("a", { href: part, target: "_blank", rel: "noopener noreferrer nofollow" }, part) : part,
    );
  }

  const STYLE = `
:host { all: initial; }
.root { --accent: #0b6b57; --on-accent: #fff; --head: var(--accent); --on-head: var(--on-accent); --card: #fff; --ground: #f4f7f6; --ink: #17211e; --soft: #55635e; --line: #dbe2df; --edge: #84918c;
  --fault: #9c2218; --warm: #fff4d6; --warm-ink: #5c4300; --shade: 0 12px 48px rgb(12 32 26 / .22), 0 2px 8px rgb(12 32 26 / .12);
  position: fixed; z-index: 2147483000; inset-block-end: max(20px, env(safe-area-inset-bottom)); inset-inline-end: 20px; color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", sans-serif; color-scheme: light; text-align: start; }
.root.start { inset-inline: 20px auto; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
button, textarea, input { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
svg { inline-size: 24px; block-size: 24px; fill: none; stroke: currentColor; stroke-width: 1.9; stroke-linecap: round; stroke-linejoin: round; }
.launcher { position: relative; display: grid; place-items: center; margin-inline-start: auto; inline-size: 60px; block-size: 60px; border: 0; border-radius: 50%;
  color: var(--on-accent); background: var(--accent); box-shadow: var(--shade); transition: transform .18s ease; }
.launcher svg { inline-size: 30px; block-size: 30px; }
.launcher:hover { transform: translateY(-2px) scale(1.04); }
.start .launcher { margin-inline: 0 auto; }
.opened .launcher { display: none; }
.badge { position: absolute; inset-block-start: -3px; inset-inline-end: -3px; min-inline-size: 22px; padding-inline: 6px; border: 2px solid var(--card); border-radius: 12px;
  color: #fff; background: #c3271b; font-size: 12px; font-weight: 700; line-height: 18px; text-align: center; }
.panel { display: flex; flex-direction: column; inline-size: 390px; block-size: min(660px, calc(100dvh - 40px)); overflow: hidden; border: 1px solid var(--line);
  border-radius: 20px; background: var(--card); box-shadow: var(--shade); animation: rise .2s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(12px); } }
.head { display: flex; align-items: center; gap: 12px; padding: 14px 16px; color: var(--on-head); background: var(--head); }
.face { display: grid; flex: none; place-items: center; inline-size: 40px; block-size: 40px; border-radius: 50%; background: color-mix(in srgb, var(--on-head) 16%, transparent); }
.names { display: grid; flex: 1; min-inline-size: 0; }
.names strong { overflow: hidden; font-size: 17px; font-weight: 650; text-overflow: ellipsis; white-space: nowrap; }
.names small { overflow: hidden; font-size: 13px; opacity: .92; text-overflow: ellipsis; white-space: nowrap; }
.close { display: grid; flex: none; place-items: center; inline-size: 44px; block-size: 44px; margin-inline-end: -6px; border: 0; border-radius: 12px; background: none; color: inherit; }
.close:hover { background: color-mix(in srgb, var(--on-head) 16%, transparent); }
.head :focus-visible { outline-color: var(--on-head); outline-offset: -3px; }
.offline { margin: 0; padding: 8px 16px; color: var(--warm-ink); background: var(--warm); font-size: 13px; text-align: center; }
.middle { display: flex; flex: 1 1 0; flex-direction: column; min-block-size: 0; background: var(--ground); }
.log { flex: 1; margin: 0; padding: 16px; overflow-y: auto; overscroll-behavior: contain; list-style: none; scrollbar-width: thin; }
.log:focus-visible { outline-offset: -3px; }
li { display: grid; margin-block-start: 3px; }
li.first { margin-block-start: 12px; }
li p { max-inline-size: 84%; inline-size: fit-content; margin: 0; padding: 9px 13px; border-radius: 18px; overflow-wrap: anywhere; white-space: pre-wrap; }
.them p { justify-self: start; border: 1px solid var(--line); border-end-start-radius: 6px; background: var(--card); }
.me p { justify-self: end; color: var(--on-accent); background: var(--accent); border-end-end-radius: 6px; }
.me.waits p { opacity: .72; }
.me.failed p { color: var(--ink); background: none; border: 1.5px dashed var(--fault); opacity: 1; }
li small { margin: 3px 6px 0; color: var(--soft); font-size: 12px; }
.me small, .acts { justify-self: end; }
.failed small { color: var(--fault); }
.acts { display: flex; gap: 4px; }
.acts button { min-block-size: 36px; padding-inline: 10px; border: 0; border-radius: 10px; background: none; font-size: 13px; font-weight: 600; text-decoration: underline; }
.day, .note { justify-content: center; margin-block: 14px 4px; color: var(--soft); font-size: 12px; text-align: center; }
.note { padding: 6px 12px; }
a { color: inherit; text-underline-offset: 2px; }
.typing { display: flex; align-items: center; gap: 4px; margin: 0; padding: 0 20px 10px; color: var(--soft); font-size: 13px; }
.typing i { inline-size: 6px; block-size: 6px; border-radius: 50%; background: currentColor; animation: beat 1.2s infinite; }
.typing i:nth-child(2) { animation-delay: .15s; }
.typing i:nth-child(3) { animation-delay: .3s; }
.typing span { margin-inline-start: 6px; }
@keyframes beat { 0%, 60%, 100% { opacity: .35; transform: none; } 30% { opacity: 1; transform: translateY(-3px); } }
.composer { padding: 10px 12px 12px; border-block-start: 1px solid var(--line); background: var(--card); }
.line { display: flex; align-items: flex-end; gap: 8px; }
textarea, input { inline-size: 100%; min-block-size: 44px; padding: 10px 14px; border: 1.5px solid var(--edge); border-radius: 14px; background: var(--card); font-size: 16px; line-height: 1.4; }
textarea { display: block; flex: 1; resize: none; scrollbar-width: thin; }
::placeholder { color: var(--soft); opacity: 1; }
textarea:focus-visible, input:focus-visible { outline-offset: -1px; border-color: var(--accent); }
.send { display: grid; flex: none; place-items: center; inline-size: 46px; block-size: 46px; border: 0; border-radius: 50%; color: var(--on-accent); background: var(--accent); }
.send:hover, .launcher:hover { filter: brightness(1.08); }
.send span { display: none; }
[dir=rtl] .send svg { transform: scaleX(-1); }
.attach { display: grid; flex: none; place-items: center; inline-size: 44px; block-size: 46px; padding: 0; border: 0; border-radius: 12px; color: var(--soft); background: none; }
.attach:hover { color: var(--ink); background: var(--ground); }
.attach span { display: none; }
.limits { display: block; margin: 6px 6px 0; color: var(--soft); font-size: 12px; }
.chosen { display: flex; flex-wrap: wrap; gap: 6px; margin: 0 0 8px; padding: 0; list-style: none; max-block-size: 120px; overflow-y: auto; }
.chosen li { display: flex; align-items: center; gap: 6px; max-inline-size: 100%; margin: 0; padding-inline-start: 10px; border: 1px solid var(--line); border-radius: 12px; background: var(--ground); font-size: 13px; }
bdi { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-inline-size: 0; }
.chosen small, .file small { flex: none; margin: 0; color: inherit; opacity: .8; font-size: 12px; white-space: nowrap; }
.chosen button { display: grid; flex: none; place-items: center; inline-size: 36px; block-size: 36px; padding: 0; border: 0; border-radius: 12px; background: none; }
.chosen svg { inline-size: 16px; block-size: 16px; }
.fault { margin: 0 0 8px; color: var(--fault); font-size: 13px; }
.file { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; justify-self: end; max-inline-size: 84%; min-block-size: 44px; margin: 3px 0 0; padding: 6px 12px; border: 1px solid var(--edge); border-radius: 14px; color: var(--ink); background: var(--card); font-size: 14px; text-align: start; }
.file svg { flex: none; inline-size: 18px; block-size: 18px; }
.file bdi { flex: 0 1 auto; max-inline-size: 180px; }
progress { inline-size: 100%; block-size: 6px; accent-color: var(--accent); }
.panel.drop { outline: 3px dashed var(--accent); outline-offset: -8px; }
.form .attach { display: flex; gap: 8px; inline-size: auto; align-self: flex-start; padding-inline: 8px; }
.form .attach span { display: inline; }
.count { display: block; margin: 6px 6px 0; color: var(--soft); font-size: 12px; }
.composer.form { flex: 1 1 auto; padding: 20px; overflow-y: auto; border: 0; }
.panel:has(.composer.form) .middle { display: none; }
.fields { display: grid; gap: 14px; margin-block-end: 14px; }
.intro { margin: 0; font-size: 16px; }
label { display: grid; gap: 4px; font-weight: 600; font-size: 14px; }
label input { font-weight: 400; }
.composer { position: relative; }
.form .line { flex-direction: column; align-items: stretch; gap: 14px; }
.composer:not(.form) .over { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
.form .over { margin-block-end: -10px; }
.form textarea { flex: none; min-block-size: 110px; }
.form .send { display: flex; gap: 10px; justify-content: center; inline-size: 100%; border-radius: 14px; font-weight: 650; }
.form .send span { display: inline; }
@media (max-width: 520px) {
  .root.opened { inset: 0; }
  .panel { inline-size: 100%; block-size: 100dvh; border: 0; border-radius: 0; }
  .head { padding-block-start: max(14px, env(safe-area-inset-top)); }
  .composer { padding-block-end: max(12px, env(safe-area-inset-bottom)); }
}
@media (prefers-color-scheme: dark) {
  .root { --accent: #5fc9ae; --on-accent: #06231b; --head: #20392f; --on-head: var(--ink); --card: #1a2320; --ground: #111816; --ink: #e8eeeb; --soft: #a7b5b0; --line: #36423e; --edge: #71827b;
    --fault: #ffaca3; --warm: #40330f; --warm-ink: #ffe3a1; --shade: 0 12px 48px rgb(0 0 0 / .6); color-scheme: dark; }
}
@media (prefers-reduced-motion: reduce) { *, .panel, .typing i { animation: none; transition: none; } .launcher:hover { transform: none; } }
@media (forced-colors: active) { .launcher, .panel, .me p, .send { border: 1px solid; } }
`;

  // ---- Beginning.

  async function begun() {
    const answer = await fetch(`${base}widget/texts/${language}.json`, { credentials: "omit" });
    if (!answer.ok) throw new Refused(answer.status);
    t = await answer.json();
    checkVisitor();
    if (!document.body) await new Promise((done) => addEventListener("DOMContentLoaded", done, { once: true }));
    build();
    if (stored().queue.some((one) => !one.failed)) flush();
    if (identity || stored().conversation) join();
    if (options.open === "true") open();
  }

  function start(tries = 0) {
    begun().catch(() => setTimeout(() => start(tries + 1), Math.min(60_000, 2000 * 2 ** tries)));
  }

  let hideTimer = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hideTimer);
    // A browser keeps six connections to a host: tabs that nobody looks at give theirs back.
    if (document.hidden) hideTimer = setTimeout(() => followed?.abort(), HIDDEN_MS);
    else follow();
    show();
  });
  addEventListener("online", () => {
    connected(true);
    flush();
    follow();
  });
  addEventListener("offline", () => {
    followed?.abort();
    connected(false);
  });
  addEventListener("storage", (event) => {
    if (event.key !== key) return;
    if (box && !panel.contains(root.getRootNode().activeElement)) showDraft();
    follow();
    show();
  });

  window.Centralino = Object.freeze({
    open,
    close,
    /** Who is signed in from now on, as the site's server has signed it; nothing for nobody. */
    identify(token) {
      identity = token || "";
      checkVisitor();
      showHead();
      show();
      if (identity || isOpen()) join();
    },
  });
  start();
})();
