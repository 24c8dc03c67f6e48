/** Tells of something that may happen at any moment. */
export class Progress {
  #resolve: (isMade: boolean) => void = () => {}

  made(): void {
    this.#resolve(true)
  }

  /** @returns false when none was made in so many ms from now on */
  within(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#resolve(false), ms)
      this.#resolve = (isMade) => {
        clearTimeout(timer)
        resolve(isMade)
      }
    })
  }
}
