import { repeat } from './lit-html/directives/repeat.js'
import { html, nothing } from './lit-html/lit-html.js'

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: Row) => unknown} cell what is shown
 * @property {(row: Row) => string | number} [sort] what rows are ordered by; none: they cannot be ordered by this column
 * @property {boolean} [isNumber] numbers are aligned to the right, and begin with the largest when ordered
 */

/** @typedef {{ column: number, isDescending: boolean }} Order */

/** By table; as long as the page is there. @type {Map<string, Order>} */
const orders = new Map()

/**
 * A table with a caption, whose rows can be put in order by a column's heading.
 *
 * @template Row
 * @param {object} options
 * @param {string} options.caption
 * @param {Column<Row>[]} options.columns the first one names its row
 * @param {readonly Row[]} options.rows
 * @param {(row: Row) => string} options.key
 * @param {string} options.empty what is said when there is no row
 * @param {number} [options.total] how many there are; of more than `rows` the rest is said to be left out
 * @param {() => void} options.redraw
 */
export function table({ caption, columns, rows, key, empty, total = rows.length, redraw }) {
  const order = orders.get(caption)
  const sort = order === undefined ? undefined : columns[order.column]?.sort
  const ordered =
    order === undefined || sort === undefined
      ? rows
      : [...rows].sort((a, b) => compare(sort(a), sort(b)) * (order.isDescending ? -1 : 1))
  /** @param {number} index */
  const orderBy = (index) => {
    const isSame = order?.column === index
    const isDescending = isSame ? !order.isDescending : columns[index].isNumber === true
    orders.set(caption, { column: index, isDescending })
    redraw()
  }
  /** @param {Column<Row>} column @param {number} index */
  const heading = ({ title, sort: by, isNumber }, index) => {
    const direction = order?.column === index ? (order.isDescending ? 'descending' : 'ascending') : nothing
    const button = html`<button type="button" @click=${() => orderBy(index)}>${title}</button>`
    return html`<th scope="col" class=${isNumber ? 'number' : ''} aria-sort=${direction}>
      ${by === undefined ? title : button}
    </th>`
  }
  /** @param {Row} row */
  const line = (row) => html`<tr>
    ${columns.map(({ cell, isNumber }, index) =>
      index === 0
        ? html`<th scope="row">${cell(row)}</th>`
        : html`<td class=${isNumber ? 'number' : ''}>${cell(row)}</td>`,
    )}
  </tr>`
  const leftOut = total - rows.length
  return html`<div class="table" role="group" aria-label=${caption} tabindex="0">
    <table>
      <caption>
        ${caption}
        <span class="muted">${total}</span>
      </caption>
      <thead>
        <tr>
          ${columns.map(heading)}
        </tr>
      </thead>
      <tbody>
        ${rows.length === 0 ? html`<tr><td class="muted" colspan=${columns.length}>${empty}</td></tr>` : repeat(ordered, key, line)}
      </tbody>
    </table>
    ${leftOut > 0 ? html`<p class="muted">${leftOut} more are left out.</p>` : nothing}
  </div>`
}

/** Numbers by size, text with its numbers by size: `0_2` comes before `0_10`. @param {string | number} a @param {string | number} b */
function compare(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), 'en', { numeric: true })
}
