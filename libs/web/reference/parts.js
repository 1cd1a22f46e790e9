// Small pieces of the page. Text from documents is only ever set as text.

/** An element with attributes and children; strings become text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Paragraphs of a text, with what stands between back-quotes as code. */
export function prose(text) {
  return text.split(/\n\s*\n/).map((paragraph) => element("p", { dir: "auto" }, ...inline(paragraph)));
}

function inline(text) {
  return text.split("`").map((part, place) => (place % 2 ? element("code", {}, part) : part));
}

/** A table of fields: name, kind, meaning. */
export function fieldTable(rows) {
  const body = element("tbody");
  for (const row of rows) {
    const name = element("th", { scope: "row" }, element("code", { dir: "ltr" }, ...broken(row.path)));
    if (row.place) name.append(element("small", {}, row.place));
    if (row.required) name.append(element("small", { class: "required" }, "required"));
    const kind = element("td", { class: "kind" }, row.kind);
    if (row.limits) kind.append(element("small", {}, row.limits));
    body.append(element("tr", {}, name, kind, element("td", { dir: "auto" }, ...inline(row.description))));
  }
  const head = element("thead", {}, element("tr", {}, ...["Name", "Kind", "Meaning"].map((word) => element("th", { scope: "col" }, word))));
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Fields" }, element("table", {}, head, body));
}

/** A long name that may be broken after dots and underscores. */
function broken(text) {
  return text.split(/(?<=[._])/).flatMap((part) => [part, element("wbr")]);
}

/** A value as JSON. */
export function json(value) {
  return copyable(JSON.stringify(value, null, 2), "json");
}

/** Text in a box with a button that copies it. */
export function copyable(text, kind) {
  const button = element("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it and copy";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  const code = element("code", {}, ...(kind === "json" ? coloured(text) : [text]));
  const pre = element("pre", { tabindex: "0", "aria-label": `Example, ${kind}` }, code);
  return element("div", { class: "example", dir: "ltr" }, pre, button);
}

function coloured(text) {
  const pieces = text.split(/("(?:\\.|[^"\\])*"(?:\s*:)?)/);
  return pieces.map((piece) => {
    if (!piece.startsWith('"')) return piece;
    return element("span", { class: piece.endsWith(":") ? "key" : "value" }, piece);
  });
}
