// The reference of one service or of all, made from their OpenAPI and AsyncAPI documents. Nothing is loaded from elsewhere.

import { element, fieldTable, json, prose, copyable } from "./parts.js";
import { exampleOf, fieldsOf, kindOf, limitsOf, resolved } from "./schemas.js";
import { keepTheme, searchable } from "./moving.js";

const root = document.body.dataset.root;
const VERBS = ["get", "post", "put", "patch", "delete"];
const main = document.getElementById("main");
const contents = document.getElementById("contents");
const state = document.getElementById("state");

async function load(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return answer.json();
}

/** The services this address knows, each with where its document is; one service alone is its own list. */
async function services() {
  const alone = document.body.dataset.service;
  if (alone) return [{ name: alone, openapi: `${root}/openapi.json` }];
  return load(`${root}/`);
}

async function start() {
  document.getElementById("origin").textContent = location.origin;
  keepTheme();
  const [known, topics] = await Promise.all([
    services(),
    load(`${root}/asyncapi.json`).catch(() => ({ channels: {}, operations: {}, components: { messages: {} } })),
  ]);
  const documents = await Promise.all(
    known.map((one) => load(one.openapi).catch((error) => ({ failed: error.message }))),
  );
  known.forEach((service, place) => showService(service, documents[place], topics));
  state.remove();
  searchable(main, contents);
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

function showService(service, openapi, topics) {
  const { name } = service;
  const title = openapi.info?.title ?? service.title ?? name;
  const section = element("section", { id: `service-${name}`, class: "service", "aria-labelledby": `title-${name}` });
  section.append(element("h2", { id: `title-${name}` }, title, element("span", { class: "path" }, `/${name}`)));
  const group = element("details", { class: "group", open: "" });
  group.append(element("summary", {}, element("a", { href: `#service-${name}` }, title)));
  if (openapi.failed) {
    section.append(element("p", { class: "note" }, `Its document cannot be read at the moment: ${openapi.failed}.`));
  } else {
    if (openapi.info.description) section.append(...prose(openapi.info.description));
    addList(group, "Operations", operationsOf(openapi, name), section, (one) => operation(one, openapi));
  }
  addList(group, "Topics", topicsOf(topics, name), section, (one) => topic(one, topics));
  main.append(section);
  contents.append(group);
}

function addList(group, heading, entries, section, draw) {
  if (!entries.length) return;
  const list = element("ul");
  for (const entry of entries) {
    section.append(draw(entry));
    const mark = element("span", { class: `verb ${entry.verb}` }, entry.verb);
    list.append(element("li", { "data-for": entry.id }, element("a", { href: `#${entry.id}` }, mark, entry.short)));
  }
  group.append(element("h3", {}, heading), list);
}

function operationsOf(openapi, service) {
  const found = [];
  for (const [path, item] of Object.entries(openapi.paths)) {
    for (const verb of VERBS.filter((one) => item[one])) {
      const said = item[verb];
      const id = `${service}_${said.operationId}`;
      found.push({ id, verb, path: `/${service}${path}`, said, short: titleOf(said) });
    }
  }
  // Health checks are for machines: they come last.
  return found.sort((a, b) => (a.said.tags?.[0] === "health") - (b.said.tags?.[0] === "health"));
}

/** The summary; one that the framework made of the name of a function is written like a sentence. */
function titleOf({ summary, operationId }) {
  const made = operationId.replaceAll("_", " ");
  return summary.toLowerCase() === made ? made[0].toUpperCase() + made.slice(1) : summary;
}

function operation({ id, verb, path, said, short }, openapi) {
  const parts = [
    element("h3", { id: `${id}-title` }, element("a", { class: "self", href: `#${id}` }, short)),
    element(
      "p",
      { class: "call" },
      element("span", { class: `verb ${verb}` }, verb),
      element("code", { dir: "ltr" }, ...path.split(/(?<=\/)/).flatMap((part) => [part, element("wbr")])),
    ),
    element("p", { class: "roles" }, ...rolesOf(said)),
  ];
  if (said.description) parts.push(...prose(said.description));
  const parameters = said.parameters ?? [];
  if (parameters.length) parts.push(element("h4", {}, "Parameters"), parameterTable(parameters, openapi));
  const media = Object.entries(said.requestBody?.content ?? {});
  for (const [type, body] of media) {
    parts.push(element("h4", {}, "Body", element("small", {}, type)), schemaOf(body, openapi));
  }
  parts.push(element("h4", {}, "Example"), copyable(curlOf(verb, path, said, openapi), "shell"));
  parts.push(element("h4", {}, "Answers"), ...answersOf(said, openapi));
  return element("article", { id, "aria-labelledby": `${id}-title`, class: "operation" }, ...parts);
}

function rolesOf(said) {
  const ways = said.security ?? [];
  if (!ways.length) return [element("span", { class: "role open" }, "open to everybody")];
  const chips = [];
  if (ways.some((way) => !Object.keys(way).length)) chips.push(element("span", { class: "role open" }, "open"));
  for (const way of ways) {
    for (const [scheme, roles] of Object.entries(way)) {
      if (scheme === "visitor") chips.push(element("span", { class: "role" }, "visitor’s token of the conversation"));
      else if (!roles.length) chips.push(element("span", { class: "role" }, "any token"));
      else chips.push(...roles.map((role) => element("span", { class: "role" }, role)));
    }
  }
  return chips;
}

function parameterTable(parameters, openapi) {
  return fieldTable(
    parameters.map((one) => ({
      path: one.name,
      kind: kindOf(one.schema, openapi),
      limits: limitsOf(one.schema, openapi),
      required: one.required,
      place: one.in,
      description: one.description ?? resolved(one.schema, openapi).description ?? "",
    })),
  );
}

function schemaOf(media, openapi) {
  const schema = media.schema ?? {};
  const rows = fieldsOf(schema, openapi);
  const own = resolved(schema, openapi);
  const box = element("div", { class: "schema" });
  if (own.description) box.append(...prose(own.description));
  box.append(rows.length ? fieldTable(rows) : element("p", {}, element("code", {}, kindOf(schema, openapi))));
  return box;
}

function answersOf(said, openapi) {
  return Object.entries(said.responses).map(([status, answer]) => {
    const media = Object.entries(answer.content ?? {});
    const wrong = status === "default" || status >= "400";
    const known = { "Successful Response": "Done", default: "Any other refusal" };
    const title = [
      element("span", { class: `status ${wrong ? "bad" : "good"}` }, status === "default" ? "4xx 5xx" : status),
      known[answer.description] ?? answer.description,
      element("small", {}, media.map(([type]) => type).join(", ")),
    ];
    if (!media.length || (wrong && status !== "default")) return element("p", { class: "answer" }, ...title);
    const inside = media.flatMap(([type, body]) => [
      schemaOf(body, openapi),
      ...(type.includes("json") && body.schema ? [json(wrong ? problem() : exampleOf(body.schema, openapi))] : []),
    ]);
    return element("details", { class: "answer" }, element("summary", {}, ...title), ...inside);
  });
}

function problem() {
  return {
    type: "urn:centralino:problem:stale-version",
    title: "Somebody else was faster",
    status: 412,
    detail: "The conversation is at version 3, and If-Match says 2: read it again and decide anew.",
    request_id: "6f2c7d119b5a0c4e2f6a8b10019de8a4",
  };
}

/** The request as a command line, with what is required and nothing more. */
function curlOf(verb, path, said, openapi) {
  const needed = (said.parameters ?? []).filter((one) => one.required);
  const value = (one) => String(exampleOf(one.schema, openapi, one.name) ?? "");
  let address = path;
  const query = [];
  const lines = [];
  for (const one of needed) {
    if (one.in === "path") address = address.replace(`{${one.name}}`, encodeURIComponent(value(one)));
    if (one.in === "query") query.push(`${one.name}=${encodeURIComponent(value(one))}`);
    if (one.in === "header") lines.push(`-H '${one.name}: ${one.name === "If-Match" ? '"1"' : value(one)}'`);
  }
  const where = `${location.origin}${address}${query.length ? `?${query.join("&")}` : ""}`;
  if (said.security?.length && said.security.every((way) => Object.keys(way).length)) {
    lines.unshift('-H "Authorization: Bearer $TOKEN"');
  }
  const [type, body] = Object.entries(said.requestBody?.content ?? {})[0] ?? [];
  if (type?.includes("json")) {
    lines.push(`-H 'Content-Type: ${type}'`);
    const text = JSON.stringify(requiredOf(body.schema, openapi), null, 1).replaceAll("'", "'\\''");
    lines.push(`-d '${text}'`);
  } else if (type) {
    lines.push(`-H 'Content-Type: ${type}'`, "--data-binary @file");
  }
  const method = verb === "get" || (verb === "post" && type) ? "" : `-X ${verb.toUpperCase()} `;
  return [`curl ${method}'${where}'`, ...lines].join(" \\\n  ");
}

/** Of an object only what has to be sent, unless nothing has to. */
function requiredOf(schema, openapi) {
  const own = resolved(schema, openapi);
  const whole = exampleOf(schema, openapi);
  if (!own.required?.length || typeof whole !== "object") return whole;
  return Object.fromEntries(Object.entries(whole).filter(([key]) => own.required.includes(key)));
}

function topicsOf(topics, service) {
  return Object.entries(topics.channels)
    .filter(([, channel]) => channel.address.startsWith(`${service}.`))
    .map(([key, channel]) => ({ id: `topic-${key}`, verb: "topic", key, channel, short: channel.address }));
}

function topic({ id, key, channel }, topics) {
  const of = (action) =>
    Object.entries(topics.operations)
      .filter(([, one]) => one.action === action && one.channel.$ref === `#/channels/${key}`)
      .map(([name]) => name.split("_")[0]);
  const kafka = channel.bindings.kafka;
  const kept = kafka.topicConfiguration["retention.ms"];
  const sends = Object.values(topics.operations).find((one) => one.action === "send" && one.channel.$ref === `#/channels/${key}`);
  const readers = of("receive");
  const parts = [
    element("h3", { id: `${id}-title` }, element("a", { class: "self", href: `#${id}` }, channel.address)),
    element("p", { class: "call" }, element("span", { class: "verb topic" }, "topic"), ...prose(channel.description)[0].childNodes),
    element(
      "dl",
      { class: "facts" },
      ...fact("Written by", of("send").join(", ")),
      ...fact("Read by", readers.join(", ") || "anybody outside"),
      ...fact("Key", sends?.summary?.split("the key is ")[1] ?? ""),
      ...fact("Kept", kept ? `${Math.round(kept / 86_400_000)} days` : "the newest of each key, for ever"),
      ...fact("Partitions", String(kafka.partitions)),
    ),
  ];
  for (const name of Object.keys(channel.messages)) {
    const message = topics.components.messages[name];
    const rows = fieldsOf(message.payload, topics);
    parts.push(
      element(
        "details",
        { class: "answer", id: `event-${name}` },
        element("summary", {}, element("strong", {}, name), element("small", {}, message.name)),
        fieldTable(rows),
        json(exampleOf(message.payload, topics)),
      ),
    );
  }
  return element("article", { id, "aria-labelledby": `${id}-title`, class: "topic" }, ...parts);
}

function fact(name, value) {
  return value ? [element("div", {}, element("dt", {}, name), element("dd", { dir: "auto" }, value))] : [];
}

start().catch((error) => {
  state.textContent = `The reference could not be loaded: ${error.message}`;
});
