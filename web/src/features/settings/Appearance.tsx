/** How the app looks on this device. Kept in this browser. */
import { Radio, SegmentedControl, useMantineColorScheme } from "@mantine/core";

import { clock } from "@/lib/time";
import { useAppearance } from "@/ui/appearance";

import { Section } from "./parts";
import classes from "./SettingsPage.module.css";

const AFTERNOON = new Date(2026, 2, 12, 15, 30);

export default function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [{ density, hours }, change] = useAppearance();
  return (
    <Section title="Appearance" help="For this browser only.">
      <div className={classes.form}>
        <div>
          <div id="scheme" className={classes.name}>
            Light or dark
          </div>
          <SegmentedControl
            mt={4}
            aria-labelledby="scheme"
            value={colorScheme}
            onChange={(value) => setColorScheme(value)}
            data={[
              { value: "light", label: "Light" },
              { value: "dark", label: "Dark" },
              { value: "auto", label: "As the system" },
            ]}
          />
        </div>
        <Radio.Group label="Density" value={density} onChange={(value) => change({ density: value })}>
          <Radio mt={8} value="comfortable" label="Comfortable" />
          <Radio mt={8} value="compact" label="Compact: rows stand closer together" />
        </Radio.Group>
        <Radio.Group
          label="Hours"
          description={`The afternoon shows as ${clock(AFTERNOON)} now.`}
          value={hours}
          onChange={(value) => change({ hours: value })}
        >
          <Radio mt={8} value="auto" label="As your language and region do" />
          <Radio mt={8} value="h23" label="24 hours" />
          <Radio mt={8} value="h12" label="12 hours, am and pm" />
        </Radio.Group>
      </div>
    </Section>
  );
}
