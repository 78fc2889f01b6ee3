// How a chart looks: axes, grid and lines of uPlot, with colours of the theme.
import 'uplot/dist/uPlot.min.css'
import type uPlot from 'uplot'
import type { TOKENS } from '../tokens'
import type { Chart } from './figures'

const HEIGHT = 180
const DAY = 86_400

export interface Look {
  width: number
  colors: (typeof TOKENS)['light'] | (typeof TOKENS)['dark']
  line: string
  day: (seconds: number) => string
  value: (value: number) => string
  moved: (index: number) => void
}

/** Return uPlot's options for `chart`. */
export function optionsOf(Plot: typeof uPlot, chart: Chart, look: Look): uPlot.Options {
  const axis = {
    stroke: look.colors.neutral,
    font: '12px system-ui, sans-serif',
    grid: { stroke: look.line, width: 1 },
    ticks: { stroke: look.line, width: 1, size: 4 },
  }
  const whole = chart.unit === 'count'
  return {
    width: look.width,
    height: HEIGHT,
    tzDate: (seconds) => Plot.tzDate(new Date(seconds * 1000), 'UTC'),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, top(most)] } },
    axes: [
      {
        ...axis,
        size: 30,
        incrs: [1, 2, 5, 7, 14, 30].map((days) => days * DAY),
        space: 64,
        values: days(look),
      },
      {
        ...axis,
        size: 66,
        space: 36,
        values: (_, splits) => splits.map((split) => (whole && split % 1 ? '' : look.value(split))),
      },
    ],
    series: [
      {},
      ...chart.series.map((one): uPlot.Series => ({
        stroke: look.colors[one.token],
        width: 2,
        dash: one.dash,
        spanGaps: false,
        points: { show: true, size: 5, fill: look.colors[one.token] },
      })),
    ],
    hooks: {
      setCursor: [
        ({ cursor }) => {
          if (typeof cursor.idx === 'number') look.moved(cursor.idx)
        },
      ],
    },
  }
}

function days(look: Look): uPlot.Axis.DynamicValues {
  return (_, splits) => splits.map(look.day)
}

/** Room above the highest value, and an axis even where everything is zero. */
function top(most: number | null): number {
  return most ? most * 1.08 : 1
}
