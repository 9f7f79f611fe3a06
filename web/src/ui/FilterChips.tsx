/** Filters as a row of quiet buttons; each opens its choices, and says what it is set to with a way to take it off. */
import { CloseButton, Combobox, UnstyledButton, useCombobox } from "@mantine/core";
import { IconCheck, IconChevronDown } from "@tabler/icons-react";
import { useState } from "react";

import classes from "./FilterChips.module.css";

export interface Option {
  value: string;
  label: string;
  /** Options of one group stand together, under its name. */
  group?: string;
}

export interface FilterDef {
  id: string;
  label: string;
  options: readonly Option[];
  /** What is chosen; the label is looked up, or `valueLabel` says it where it is none of the options. */
  value: string | undefined;
  valueLabel?: string;
}

interface Props {
  filters: readonly FilterDef[];
  onChange: (id: string, value: string | undefined) => void;
  onClear: () => void;
}

const MANY = 8;

export function FilterChips({ filters, onChange, onClear }: Props) {
  const active = filters.filter((filter) => filter.value !== undefined).length;
  return (
    <div className={classes.row} role="group" aria-label="Filters">
      {filters.map((filter) => (
        <Chip key={filter.id} filter={filter} onChange={(value) => onChange(filter.id, value)} />
      ))}
      {active > 1 ? (
        <UnstyledButton className={classes.clear} onClick={onClear}>
          Clear all
        </UnstyledButton>
      ) : null}
    </div>
  );
}

function Chip({ filter, onChange }: { filter: FilterDef; onChange: (value: string | undefined) => void }) {
  const [search, setSearch] = useState("");
  const combobox = useCombobox({
    onDropdownClose: () => { combobox.resetSelectedOption(); combobox.focusTarget(); setSearch(""); },
    onDropdownOpen: () => { if (filter.options.length > MANY) combobox.focusSearchInput(); },
  }); // prettier-ignore
  const chosen = filter.options.find((option) => option.value === filter.value);
  const words = filter.value === undefined ? null : (chosen?.label ?? filter.valueLabel ?? filter.value);
  const found = filter.options.filter((option) => `${option.group ?? ""} ${option.label}`.toLowerCase().includes(search.trim().toLowerCase()));
  return (
    <Combobox
      store={combobox}
      width={240}
      position="bottom-start"
      onOptionSubmit={(value) => {
        onChange(value === filter.value ? undefined : value);
        combobox.closeDropdown();
      }}
    >
      <span className={classes.chip} data-active={words !== null || undefined}>
        <Combobox.Target targetType="button" withAriaAttributes>
          <UnstyledButton
            className={classes.button}
            aria-label={words === null ? `Filter by ${filter.label.toLowerCase()}` : `${filter.label}: ${words}. Change`}
            onClick={() => combobox.toggleDropdown()}
          >
            {words === null ? filter.label : <><span className={classes.name}>{filter.label}</span> {words}</>}
            {words === null ? <IconChevronDown size={14} stroke={1.5} aria-hidden /> : null}
          </UnstyledButton>
        </Combobox.Target>
        {words === null ? null : (
          <CloseButton size={24} iconSize={14} aria-label={`Remove the filter ${filter.label.toLowerCase()}`} onClick={() => onChange(undefined)} />
        )}
      </span>
      <Combobox.Dropdown>
        {filter.options.length > MANY ? (
          <Combobox.Search
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
            placeholder="Find"
            aria-label={`Find ${filter.label.toLowerCase()}`}
          />
        ) : null}
        <Combobox.Options className={classes.options} aria-label={filter.label}>
          {grouped(found).map(([group, options]) =>
            group ? (
              <Combobox.Group key={group} label={group}>
                <Choices options={options} value={filter.value} />
              </Combobox.Group>
            ) : (
              <Choices key="" options={options} value={filter.value} />
            ),
          )}
          {found.length === 0 ? <Combobox.Empty>Nothing by that name</Combobox.Empty> : null}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

function Choices({ options, value }: { options: readonly Option[]; value: string | undefined }) {
  return options.map((option) => (
    <Combobox.Option key={option.value} value={option.value} active={option.value === value}>
      <span className={classes.option}>
        {option.label}
        {option.value === value ? <IconCheck size={16} stroke={1.5} aria-hidden /> : null}
      </span>
    </Combobox.Option>
  ));
}

function grouped(options: readonly Option[]): [string, Option[]][] {
  const groups = new Map<string, Option[]>();
  for (const option of options) groups.set(option.group ?? "", [...(groups.get(option.group ?? "") ?? []), option]);
  return [...groups];
}
