import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8')

/** A table's cells as they are shown, by the heading of their column. @param caption without how many rows there are */
export async function tableRows(page: Page, caption: string): Promise<Record<string, string>[]> {
  const table = page.getByRole('table', { name: new RegExp(`^${caption} \\d+$`) })
  return await table.evaluate(({ rows }) => {
    const cells = [...rows].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))
    const [headings = [], ...others] = cells
    return others
      .filter((row) => row.length === headings.length)
      .map((row) => Object.fromEntries(row.map((text, index) => [headings[index], text])))
  })
}

/** 1,234 as a number. */
export function figure(text: string | undefined): number {
  const number = Number(text?.replaceAll(',', '').replace(/[^\d.].*$/, ''))
  assert.ok(Number.isFinite(number), `${text} begins with no number`)
  return number
}

/** A tile's big figure. */
export function tileFigure(page: Page, title: string): Promise<string> {
  return page.getByRole('group', { name: title, exact: true }).locator('.figure').innerText()
}

/** Presses the tab key until this is focused; fails when it cannot be reached. Every stop on the way shows that it is focused. */
export async function tabTo(page: Page, role: string, name: RegExp): Promise<void> {
  const stops: string[] = []
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab')
    const stop = await page.locator('body').evaluate((body) => {
      const focused = body.ownerDocument.activeElement
      const shape = focused.querySelector('.shape') ?? focused
      const { outlineStyle, strokeWidth } = body.ownerDocument.defaultView.getComputedStyle(shape)
      const roles: Record<string, string> = { A: 'link', BUTTON: 'button', INPUT: 'textbox' }
      return {
        role: String(focused.getAttribute('role') ?? roles[focused.tagName] ?? focused.tagName),
        name: String(focused.getAttribute('aria-label') ?? focused.innerText ?? ''),
        isShown: outlineStyle !== 'none' || Number.parseFloat(strokeWidth) > 2,
      }
    })
    stops.push(`${stop.role} ${stop.name}`)
    if (stop.role !== 'BODY') assert.ok(stop.isShown, `the focus is not seen at ${stops.at(-1)}`)
    if (stop.role === role && name.test(stop.name)) return
  }
  assert.fail(`the tab key does not reach ${role} ${name.source}, but ${stops.join('; ')}`)
}

/**
 * What axe-core finds wrong with the page as it is: roles, names, contrasts, order of headings.
 *
 * @param rules default: all
 */
export async function accessibilityProblems(page: Page, ...rules: string[]): Promise<string[]> {
  await page.evaluate(axe)
  return await page.evaluate(async (only) => {
    const { axe } = globalThis as unknown as {
      axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    const { violations } = await axe.run(only.length === 0 ? {} : { runOnly: only })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
  }, rules)
}
