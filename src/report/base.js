/* What the pages share. All text of the data becomes a text node in el(), and nowhere markup. */

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en").format;

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes ?? {})) made.setAttribute(key, value);
  made.append(...children.flat());
  return made;
}

const kindOf = (reference) => reference.slice(0, reference.indexOf("/"));
const nameOf = (reference) => reference.slice(reference.indexOf("/") + 1);

const fills = new WeakMap();

/* A details element whose inside is made when it is first opened. */
function fold(kind, summary, fill, open) {
  const made = el("details", { class: kind }, el("summary", null, summary));
  const once = () => { if (made.open && made.childElementCount === 1) made.append(fill()); };
  made.open = Boolean(open);
  once();
  made.addEventListener("toggle", once);
  fills.set(made, once);
  return made;
}

/* Opens one with its inside at once: `toggle` comes too late for a printer. */
function unfold(made) {
  made.open = true;
  fills.get(made)?.();
}

/* As text is compared that somebody types. */
const folded = (text) => text.normalize("NFKC").toLowerCase();
