import { describe, expect, it } from 'vitest'
import { type Axis, type Panel, picture, place } from './panel.ts'

const axis = (scale: Axis['scale'], from: number, to: number): Axis => ({
  label: 'a < b',
  scale,
  from,
  to,
  ticks: [from, to],
})

describe('an axis', () => {
  it('places its ends at 0 and at its length, and the middle by its scale', () => {
    expect(place(axis('linear', 2, 4), 3, 100)).toBe(50)
    expect(place(axis('log', 1, 100), 10, 100)).toBeCloseTo(50, 10)
    expect(place(axis('log', 1, 100), 100, 100)).toBeCloseTo(100, 10)
  })
})

describe('a picture', () => {
  const panel = (points: { x: number; y: number; low?: number; high?: number }[]): Panel => ({
    title: 'title',
    x: axis('linear', 0, 4),
    y: axis('log', 0.1, 10),
    series: [{ points, color: 'red', hasMarks: true, label: 'end' }],
  })
  it('breaks a line at a point that is not finite or off the axis, and draws no mark there', () => {
    const points = [1, Number.NaN, 1, 99, 1].map((y, x) => ({ x, y }))
    const svg = picture([panel(points)], 'what it shows')
    expect(svg.match(/<circle/g)).toHaveLength(3)
    expect(svg.match(/ d="([^"]*)"/)![1]!.match(/M/g)).toHaveLength(3)
    expect(svg).not.toContain('NaN')
  })
  it('escapes texts, draws bars, and says what it shows', () => {
    const svg = picture([panel([{ x: 1, y: 1, low: 0.5, high: 2 }]), panel([])], 'R&D')
    expect(svg).toContain('<title>R&amp;D</title>')
    expect(svg).toContain('a &lt; b')
    expect(svg).toContain('stroke="red"/>')
    expect(svg.match(/<g /g)).toHaveLength(2)
  })
})
