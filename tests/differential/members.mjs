// A JSON object as it is written: names and values are texts, so that it can hold what no object of JavaScript can.

/**
 * A value is JSON text, other members, or a function of the case's rendering that gives the text late (the hash of the token, say).
 */
export class Members {
  #list = [];

  static of(object) {
    const members = new Members();
    for (const [name, value] of Object.entries(object)) members.set(name, value);
    return members;
  }

  /** One of the names that are plainly written; "x" if there is none. */
  someName(random) {
    const plain = this.#list.map(([name]) => name.slice(1, -1)).filter((name) => /^[\w#]+$/.test(name));
    return plain.length === 0 ? "x" : random.pick(plain);
  }

  /** Replaces the member, or adds it at the end. */
  set(name, value) {
    return this.write(name, typeof value === "function" || value instanceof Members ? value : JSON.stringify(value));
  }

  /** As `set`, with the value's JSON text. */
  write(name, text) {
    const place = this.#list.findIndex(([other]) => other === JSON.stringify(name));
    if (place < 0) this.#list.push([JSON.stringify(name), text]);
    else this.#list[place][1] = text;
    return this;
  }

  /** Adds a member whatever is there already; `nameText` has its quotes. */
  add(nameText, text, { first = false } = {}) {
    if (first) this.#list.unshift([nameText, text]);
    else this.#list.push([nameText, text]);
    return this;
  }

  get(name) {
    return this.#list.find(([other]) => other === JSON.stringify(name))?.[1];
  }

  /** The value that a member has now, read. Undefined where it is late, or no JSON. */
  read(name) {
    const value = this.get(name);
    try {
      return typeof value === "string" ? JSON.parse(value) : undefined;
    } catch {
      return undefined;
    }
  }

  remove(name) {
    this.#list = this.#list.filter(([other]) => other !== JSON.stringify(name));
    return this;
  }

  clear() {
    this.#list = [];
  }

  /** Spells a member's name in another way. */
  respell(name, nameText) {
    for (const member of this.#list) if (member[0] === JSON.stringify(name)) member[0] = nameText;
  }

  reorder(order) {
    this.#list = order(this.#list);
  }

  text(rendering, blank = () => "") {
    const members = this.#list.map(([name, value]) => {
      return `${blank()}${name}${blank()}:${blank()}${textOf(value, rendering, blank)}${blank()}`;
    });
    return `{${members.join(",") || blank()}}`;
  }
}

export function textOf(value, rendering, blank) {
  if (value instanceof Members) return value.text(rendering, blank);
  return typeof value === "function" ? value(rendering) : value;
}
