// What a JSON schema says, as rows to read and as an example.

const DEEPEST = 9;
// Said for fields of these names when the schema has no example of its own.
const USUAL = {
  text: "Where is my parcel? It should have come on Monday.",
  comment: "Quick and friendly.",
  subject: "My parcel",
  name: "Anna",
  display_name: "Tom",
  language: "en",
  languages: "en",
  topic: "delivery",
  email: "tom@example.com",
  address: "tom@example.com",
  phone: "+393330000001",
  team: "orders",
  teams: "orders",
  team_id: "orders",
  queue_id: "orders",
  agent_id: "anna",
  username: "anna",
  score: 5,
};

/** The schema itself, where it is a reference or one of a single choice. */
export function resolved(schema, document) {
  let found = schema ?? {};
  for (let hops = 0; hops < 20; hops += 1) {
    if (found.$ref) {
      const target = found.$ref.replace(/^#\//, "").split("/").reduce((at, key) => at?.[key], document);
      const { $ref, ...beside } = found;
      found = { ...(target ?? {}), ...beside, $name: $ref.split("/").pop() };
    } else if (found.allOf?.length === 1) {
      const { allOf, ...beside } = found;
      found = { ...allOf[0], ...beside };
    } else {
      return found;
    }
  }
  return found;
}

/** The choices of a schema without null, and whether null is one. */
function choices(schema, document) {
  const all = schema.anyOf ?? schema.oneOf;
  if (!all) return { kinds: [schema], nullable: false };
  const kinds = all.map((one) => resolved(one, document));
  const real = kinds.filter((kind) => kind.type !== "null");
  return { kinds: real, nullable: real.length < kinds.length };
}

/** In words: `string`, `list of integer`, `one of open, closed`, `string or null`. */
export function kindOf(schema, document) {
  const own = resolved(schema, document);
  const { kinds, nullable } = choices(own, document);
  const words = kinds.map((kind) => oneKind(kind, document));
  return [...new Set(words), ...(nullable ? ["null"] : [])].join(" or ");
}

function oneKind(kind, document) {
  if (kind.const !== undefined) return JSON.stringify(kind.const);
  if (kind.enum) return `one of ${kind.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  if (kind.anyOf || kind.oneOf) return kindOf(kind, document);
  if (kind.type === "array") return `list of ${kindOf(kind.items ?? {}, document)}`;
  const type = Array.isArray(kind.type) ? kind.type.join(" or ") : kind.type;
  if (type === "object" || kind.properties) {
    return kind.additionalProperties && !kind.properties ? "map" : "object";
  }
  return kind.format ? `${type}, ${kind.format}` : (type ?? "anything");
}

/** Its limits in words, empty without any. */
export function limitsOf(schema, document) {
  const own = resolved(schema, document);
  const { kinds } = choices(own, document);
  const said = [];
  for (const one of [own, ...kinds.filter((kind) => kind !== own)]) {
    const [least, most] = [one.minimum ?? one.exclusiveMinimum, one.maximum ?? one.exclusiveMaximum];
    if (least !== undefined && most !== undefined) said.push(`${least} to ${most}`);
    else if (least !== undefined) said.push(`${one.minimum === undefined ? "more than" : "at least"} ${least}`);
    else if (most !== undefined) said.push(`${one.maximum === undefined ? "less than" : "at most"} ${most}`);
    if (one.maxLength !== undefined) said.push(`at most ${one.maxLength.toLocaleString("en")} characters`);
    if (one.minLength > 1) said.push(`at least ${one.minLength} characters`);
    if (one.maxItems !== undefined) said.push(`at most ${one.maxItems} entries`);
    if (one.minItems) said.push(`at least ${one.minItems} ${one.minItems === 1 ? "entry" : "entries"}`);
    if (one.pattern) said.push(`like ${one.pattern}`);
  }
  if (own.default !== undefined && own.default !== null) said.push(`${JSON.stringify(own.default)} unless given`);
  return [...new Set(said)].join("; ");
}

/** Rows of an object's fields, those of inner objects after it with a dotted name. */
export function fieldsOf(schema, document, before = "", depth = 0, seen = []) {
  const own = resolved(schema, document);
  if (own.$name && seen.includes(own.$name)) return [];
  const known = own.$name ? [...seen, own.$name] : seen;
  const { kinds } = choices(own, document);
  if (kinds.length !== 1 || kinds[0] !== own) {
    return kinds.length === 1 ? fieldsOf(kinds[0], document, before, depth, known) : [];
  }
  if (own.type === "array") return fieldsOf(own.items ?? {}, document, `${before}[]`, depth, known);
  if (!own.properties || depth > DEEPEST) return [];
  return Object.entries(own.properties).flatMap(([key, property]) => {
    const path = before ? `${before}.${key}` : key;
    const value = resolved(property, document);
    const row = {
      path,
      kind: kindOf(property, document),
      limits: limitsOf(property, document),
      required: own.required?.includes(key) ?? false,
      description: value.description ?? "",
      secret: Boolean(value.writeOnly),
    };
    return [row, ...fieldsOf(property, document, path, depth + 1, known)];
  });
}

/** A value that fits the schema. */
export function exampleOf(schema, document, key = "", depth = 0) {
  const own = resolved(schema, document);
  if (own.example !== undefined) return own.example;
  if (own.examples?.length) return own.examples[0];
  if (own.const !== undefined) return own.const;
  if (own.default !== undefined && own.default !== null) return own.default;
  const kind = choices(own, document).kinds[0] ?? {};
  if (kind !== own) return exampleOf(kind, document, key, depth);
  if (kind.enum) return kind.enum[0];
  if (kind.type === "array") return depth > DEEPEST ? [] : [exampleOf(kind.items ?? {}, document, key, depth + 1)];
  if (kind.properties && depth <= DEEPEST) {
    const entries = Object.entries(kind.properties);
    return Object.fromEntries(entries.map(([name, inner]) => [name, exampleOf(inner, document, name, depth + 1)]));
  }
  return plainExample(kind, key);
}

function plainExample(kind, key) {
  const type = Array.isArray(kind.type) ? kind.type[0] : kind.type;
  if (type === "boolean") return true;
  if (type === "integer" || type === "number") return USUAL[key] ?? kind.minimum ?? 1;
  if (type === "object") return {};
  if (type !== "string") return null;
  if (kind.format === "date-time") return "2026-05-04T09:30:00Z";
  if (kind.format === "date") return "2026-05-04";
  if (kind.format === "int64") return "1777887000000";
  if (kind.format === "uuid" || key.endsWith("_id") && !USUAL[key]) return "019de8a4-6f2c-7d11-9b5a-0c4e2f6a8b10";
  return typeof USUAL[key] === "string" ? USUAL[key] : key.replaceAll("_", "-") || "text";
}
