/**
 * What a view is drawn from.
 *
 * @typedef {object} View
 * @property {import('./worker.js').Worker} worker that has answered at least once
 * @property {string | null} chosen the id of a box of the topology
 * @property {(id: string) => void} choose
 * @property {() => void} redraw
 */

export {}
