/** What the agent cost on each of the last days: bars from zero, and the same as a table for those who do not see it. */
import { BarChart } from "@mantine/charts";
import { VisuallyHidden } from "@mantine/core";

import "@mantine/charts/styles.css";

import type { AgentDay } from "@/api/agents";
import { axisCost, tickCost, ticks } from "@/lib/costAxis";
import { plural } from "@/lib/format";
import { money } from "@/lib/money";

import classes from "./AgentPage.module.css";
import { bars, summary, weeks } from "./days";

export default function CostChart({ days, name }: { days: readonly AgentDay[]; name: string }) {
  const data = bars(days);
  const total = summary(days);
  const heights = ticks(Math.max(0, ...data.map((bar) => bar.cost)));
  const top = heights.at(-1) ?? 0;
  const step = heights[1] ?? 1;
  return (
    <>
      <div className={classes.chartHead}>
        <h2 className={classes.heading}>Cost by day</h2>
        <span className={classes.meta}>
          {money(total.cost)} in {plural(days.length, "day")}, {plural(total.turns, "turn")}
          {total.failed > 0 && `, ${total.failed} failed`}
        </span>
      </div>
      {total.most === 0 ? (
        <p className={classes.dim}>{total.turns === 0 ? "No turns in these days." : "These turns cost nothing."}</p>
      ) : (
      <div aria-hidden="true">
        <BarChart
          className={classes.chart}
          h={160}
          data={data}
          dataKey="label"
          series={[{ name: "cost", label: "Cost", color: "var(--rt-blue-mark)" }]}
          gridAxis="x"
          tickLine="none"
          withLegend={false}
          yAxisProps={{ width: 56, domain: [0, top], ticks: heights, tickFormatter: (value: number) => axisCost(step, value) }}
          xAxisProps={{ interval: 0, ticks: weeks(data.map((bar) => bar.label)) }}
          valueFormatter={tickCost}
          barProps={{ isAnimationActive: false, radius: 2, maxBarSize: 20 }}
          tooltipAnimationDuration={0}
          barChartProps={{
            margin: { top: 10, right: 20, bottom: 0, left: 0 },
            accessibilityLayer: false, // the table below is what is read aloud
          }}
        />
      </div>
      )}
      <VisuallyHidden>
        <table>
          <caption>{name}: cost and turns by day</caption>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Cost</th>
              <th scope="col">Turns</th>
              <th scope="col">Failed</th>
            </tr>
          </thead>
          <tbody>
            {days.map((day) => (
              <tr key={day.day}>
                <th scope="row">{day.day}</th>
                <td>{money(day.cost)}</td>
                <td>{day.turns}</td>
                <td>{day.failed}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </>
  );
}
