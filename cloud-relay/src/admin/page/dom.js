// @ts-check
// Small helpers around the document. Text always goes in as text, never as markup.

/**
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T} the first element that matches
 * @throws Error when there is none of this kind: page.html and the scripts do not fit together
 */
export function find(root, selector, kind) {
  const element = root.querySelector(selector);
  if (!(element instanceof kind)) throw new Error(`page.html has no ${kind.name} '${selector}'`);
  return element;
}

/**
 * @param {string} template id of a template
 * @returns {HTMLElement} a copy of the element in it
 */
export function copyOf(template) {
  const { content } = find(document, `#${template}`, HTMLTemplateElement);
  return find(/** @type {DocumentFragment} */ (content.cloneNode(true)), "*", HTMLElement);
}

/**
 * Sets a text unless it is there already, so that nothing is drawn or read out for nothing.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Element} root
 * @param {string} value a number and its unit, such as "3.4 MB"; the unit is shown smaller
 * @param {string} [after] more words for behind the unit
 */
export function setFigure(root, value, after = "") {
  const [number, unit = ""] = value.split(" ");
  setText(find(root, ".number", HTMLElement), number);
  setText(find(root, ".unit", HTMLElement), `${unit} ${after}`.trim());
}

/**
 * @param {Element} chip
 * @param {"good" | "idle" | "busy" | "bad"} tone
 * @param {string} text
 */
export function setChip(chip, tone, text) {
  if (chip.getAttribute("data-tone") !== tone) chip.setAttribute("data-tone", tone);
  setText(chip, text);
}
