/** Cost as stacked bars, one a day, from zero; and the same as a table for those who do not see it. */
import { BarChart } from "@mantine/charts";
import { VisuallyHidden } from "@mantine/core";

import "@mantine/charts/styles.css";

import { axisCost, dayLabel, tickCost, ticks } from "@/lib/costAxis";

import { labelled, type Series, type Stack } from "./groups";
import classes from "./UsagePage.module.css";

export default function UsageChart({ stack, days }: { stack: Stack; days: readonly string[] }) {
  const heights = ticks(stack.highest);
  const step = heights[1] ?? 1;
  return (
    <>
      <div aria-hidden="true">
        <BarChart
          className={classes.chart}
          h={200}
          type="stacked"
          data={stack.days}
          dataKey="day"
          series={stack.series}
          gridAxis="x"
          tickLine="none"
          withLegend={false}
          yAxisProps={{ width: 56, domain: [0, heights.at(-1) ?? 0], ticks: heights, tickFormatter: (value: number) => axisCost(step, value) }}
          xAxisProps={{ interval: 0, ticks: labelled(days), tickFormatter: dayLabel }}
          tooltipProps={{ content: ({ active, label }) => (active ? <Tip stack={stack} day={String(label)} /> : null) }}
          barProps={{ isAnimationActive: false, maxBarSize: 24, stroke: "var(--rt-ground)", strokeWidth: days.length > 120 ? 0 : 1 }}
          tooltipAnimationDuration={0}
          barChartProps={{
            margin: { top: 10, right: 20, bottom: 0, left: 0 },
            accessibilityLayer: false, // the table below is what is read aloud
          }}
        />
      </div>
      <VisuallyHidden>
        <AsTable stack={stack} />
      </VisuallyHidden>
    </>
  );
}

/** What a day cost, by what made it up; nothing that cost nothing. */
function Tip({ stack, day }: { stack: Stack; day: string }) {
  const found = stack.days.find((one) => one["day"] === day);
  const parts = stack.series.filter(({ name }) => Number(found?.[name] ?? 0) > 0);
  return (
    <div className={classes.tip}>
      <div className={classes.tipDay}>
        <span>{dayLabel(day)}</span>
        <span>{tickCost(parts.reduce((sum, { name }) => sum + Number(found?.[name] ?? 0), 0))}</span>
      </div>
      {parts.length > 1 || stack.series.length > 1
        ? parts.map((part) => <Line key={part.name} part={part} cost={Number(found?.[part.name] ?? 0)} />)
        : null}
    </div>
  );
}

function Line({ part, cost }: { part: Series; cost: number }) {
  return (
    <div className={classes.tipLine}>
      <span className={classes.swatch} style={{ background: part.color }} />
      <span className={classes.tipName}>{part.label}</span>
      <span>{tickCost(cost)}</span>
    </div>
  );
}

function AsTable({ stack: { days, series } }: { stack: Stack }) {
  return (
    <table>
      <caption>Cost by day</caption>
      <thead>
        <tr>
          <th scope="col">Day</th>
          {series.map(({ name, label }) => (
            <th key={name} scope="col">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {days.map((day) => (
          <tr key={String(day["day"])}>
            <th scope="row">{day["label"]}</th>
            {series.map(({ name }) => (
              <td key={name}>{tickCost(Number(day[name] ?? 0))}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
