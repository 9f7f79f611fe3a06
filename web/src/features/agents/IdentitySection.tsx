/** Who the agent is to people: name, handle, what it is for, colour and avatar. */
import { ColorInput, Textarea, TextInput } from "@mantine/core";

import { faintOn } from "@/lib/colour";
import { Avatar } from "@/ui/Avatar";

import classes from "./AgentForm.module.css";
import { handleOf } from "./form";
import { Section } from "./Section";
import type { Form } from "./useAgentForm";

/** Each can be told from the ground, light and dark. */
export const ACCENTS = ["#4c6ef5", "#2f8f6b", "#b8650f", "#a855b5", "#0f8a9d", "#cf4a63", "#857e73", "#8a7a1f"];

export function IdentitySection({ form, isNew }: { form: Form; isNew: boolean }) {
  const { name, slug, accent_colour, avatar, description } = form.values;
  return (
    <Section title="Identity" help="How people see it, everywhere the same.">
      <div className={classes.look} style={{ "--accent": accent_colour } as React.CSSProperties} aria-hidden="true">
        <Avatar kind="agent" name={name || "?"} accent={accent_colour} image={avatar.trim()} size={32} />
        <div>
          <div className={classes.lookName}>{name || "Unnamed"}</div>
          <div className={classes.dim}>@{slug || handleOf(name)}</div>
        </div>
      </div>
      <div className={classes.pair}>
        <TextInput label="Name" withAsterisk maxLength={120} autoComplete="off" {...form.getInputProps("name")} />
        <TextInput
          label="Handle"
          description={isNew ? "What people mention it by. Empty: made from the name." : "What people mention it by."}
          inputWrapperOrder={["label", "input", "description", "error"]}
          leftSection="@"
          placeholder={handleOf(name)}
          autoComplete="off"
          spellCheck={false}
          {...form.getInputProps("slug")}
        />
      </div>
      <Textarea
        label="Description"
        placeholder="What it is for, in a sentence"
        autosize
        minRows={2}
        maxRows={6}
        value={description}
        {...form.getInputProps("description")}
      />
      <div className={classes.pair}>
        <ColorInput
          label="Accent colour"
          description={accentHelp(accent_colour)}
          inputWrapperOrder={["label", "input", "description", "error"]}
          format="hex"
          swatches={ACCENTS}
          withEyeDropper={false}
          {...form.getInputProps("accent_colour")}
        />
        <TextInput
          label="Avatar"
          description="One or two characters. Empty: its initials."
          inputWrapperOrder={["label", "input", "description", "error"]}
          autoComplete="off"
          {...form.getInputProps("avatar")}
        />
      </div>
    </Section>
  );
}

/** Says where the colour is hard to see; it is shown as an edge and a ring only. */
export function accentHelp(colour: string): string {
  if (!/^#[0-9a-f]{6}$/i.test(colour)) return "An edge and a ring beside its name.";
  const faint = faintOn(colour);
  if (faint.length === 0) return "Easy to see, light and dark.";
  if (faint.length === 2) return "Hard to see: choose a stronger colour.";
  return faint[0] === "light" ? "Hard to see in light mode: choose a darker colour." : "Hard to see in dark mode: choose a lighter colour.";
}
