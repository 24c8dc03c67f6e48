/** The orders in which Java's collections hand out names. Kafka Streams' topology description shows them. */

/** String.hashCode, its upper half folded into the lower as HashMap does. */
function spreadHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash ^ (hash >>> 16)
}

function byBucket(names: readonly string[], buckets: number): string[] {
  const bucketOf = new Map(names.map((name) => [name, spreadHash(name) & (buckets - 1)]))
  return [...names].sort((a, b) => bucketOf.get(a)! - bucketOf.get(b)!)
}

/** The order of a HashMap that the names were added to one by one: 16 buckets, twice as many whenever three quarters are filled. */
export function hashMapOrder(names: readonly string[]): string[] {
  let buckets = 16
  while (names.length > 0.75 * buckets) buckets *= 2
  return byBucket(names, buckets)
}

/** The order of `new HashSet(names)`, which makes room for all of them at once. */
export function hashSetOrder(names: readonly string[]): string[] {
  let buckets = 16
  while (buckets < Math.trunc(names.length / 0.75) + 1) buckets *= 2
  return byBucket(names, buckets)
}

interface TreeNode<T> {
  readonly value: T
  red: boolean
  parent: TreeNode<T> | null
  left: TreeNode<T> | null
  right: TreeNode<T> | null
}

/**
 * A red-black tree as Java's TreeSet. A plain sorted list would do, were it not that the description's comparator changes its mind while
 * nodes are added: then the order depends on which nodes are compared, which is to say on the tree's shape.
 */
export class TreeSet<T> implements Iterable<T> {
  readonly #compare: (a: T, b: T) => number
  #root: TreeNode<T> | null = null

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  add(value: T): void {
    let parent: TreeNode<T> | null = null
    let order = 0
    for (let at = this.#root; at !== null; at = order < 0 ? at.left : at.right) {
      parent = at
      order = this.#compare(value, at.value)
      if (order === 0) return
    }
    const node: TreeNode<T> = { value, red: true, parent, left: null, right: null }
    if (parent === null) this.#root = node
    else if (order < 0) parent.left = node
    else parent.right = node
    this.#balance(node)
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#inOrder(this.#root)
  }

  *#inOrder(node: TreeNode<T> | null): Generator<T, void> {
    if (node === null) return
    yield* this.#inOrder(node.left)
    yield node.value
    yield* this.#inOrder(node.right)
  }

  /** Restores the two rules after an insertion: no red node has a red child, and all paths have as many black nodes. */
  #balance(inserted: TreeNode<T>): void {
    let node = inserted
    while (node.parent?.red) {
      const parent = node.parent
      const grandparent = parent.parent!
      const side = parent === grandparent.left ? 'left' : 'right'
      const other = side === 'left' ? 'right' : 'left'
      const uncle = grandparent[other]
      if (uncle?.red) {
        parent.red = false
        uncle.red = false
        grandparent.red = true
        node = grandparent
      } else {
        if (node === parent[other]) {
          node = parent
          this.#rotate(node, side)
        }
        node.parent!.red = false
        grandparent.red = true
        this.#rotate(grandparent, other)
      }
    }
    this.#root!.red = false
  }

  /** Moves `node` down to `side`; its child of the other side takes its place. */
  #rotate(node: TreeNode<T>, side: 'left' | 'right'): void {
    const other = side === 'left' ? 'right' : 'left'
    const child = node[other]!
    node[other] = child[side]
    if (child[side] !== null) child[side].parent = node
    child.parent = node.parent
    if (node.parent === null) this.#root = child
    else if (node === node.parent.left) node.parent.left = child
    else node.parent.right = child
    child[side] = node
    node.parent = child
  }
}
