/** How far the record is sealed, whether it is whole, and how to take it along. */
import { Button, CloseButton, Popover } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { IconDownload, IconShieldCheck } from "@tabler/icons-react";

import { exportAddress, useSealKeys, useVerify, type AuditFilters, type Report, type useSeal } from "@/api/audit";
import { plural } from "@/lib/format";
import { exact } from "@/lib/time";
import { CopyButton } from "@/ui/CopyButton";
import { ErrorState } from "@/ui/ErrorState";
import { StateDot } from "@/ui/StateDot";
import { useNow } from "@/ui/TimeAgo";

import classes from "./SealBar.module.css";
import { reportWords, sealWords, told } from "./sealing";

interface Props {
  seal: ReturnType<typeof useSeal>;
  filters: AuditFilters;
}

export function SealBar({ seal, filters }: Props) {
  const verify = useVerify();
  const now = useNow();
  return (
    <section className={classes.bar} aria-label="Seals">
      <div className={classes.line}>
        <p className={classes.words} title={seal.data?.sealed_at ? exact(seal.data.sealed_at) : undefined}>
          <IconShieldCheck size={16} stroke={1.5} aria-hidden />
          {seal.data ? sealWords(seal.data, now) : seal.isError ? "How far it is sealed is not known" : "\u00a0"}
        </p>
        <div className={classes.actions}>
          <Button size="xs" variant="default" loading={verify.isPending} onClick={() => verify.mutate()}>
            Verify
          </Button>
          <Export filters={filters} keyId={seal.data?.key_id ?? null} />
        </div>
      </div>
      {seal.isLoadingError ? (
        <ErrorState inline error={seal.error} retry={() => void seal.refetch()} what="how far it is sealed" />
      ) : null}
      <div role="status" className={classes.result}>
        {verify.isPending ? <p className={classes.quiet}>Comparing every line with its seal…</p> : null}
        {verify.data ? <Result report={verify.data} onClose={verify.reset} /> : null}
      </div>
      {verify.isError ? <ErrorState inline error={verify.error} retry={() => verify.mutate()} what="whether it is whole" /> : null}
    </section>
  );
}

function Result({ report, onClose }: { report: Report; onClose: () => void }) {
  const now = useNow();
  const { findings, faults, seals } = report;
  const more = faults - findings.length;
  return (
    <div className={classes.report}>
      <div className={classes.line}>
        <StateDot meaning={faults > 0 ? "attention" : seals > 0 ? "well" : "dormant"} label={reportWords(report)} />
        <CloseButton size={28} iconSize={14} aria-label="Put the result away" onClick={onClose} />
      </div>
      {findings.length > 0 ? (
        <ul className={classes.findings} aria-label="Findings" tabIndex={0}>
          {findings.map((finding, at) => {
            const { line, words } = told(finding, now);
            return (
              <li key={at}>
                {line ? <Link to="/audit" search={{ line: line.id }} className={classes.link}>{line.label}</Link> : null} {words}
              </li>
            );
          })}
          {more > 0 ? <li className={classes.quiet}>and {plural(more, "more", "more")}</li> : null}
        </ul>
      ) : null}
    </div>
  ); // prettier-ignore
}

/** A download, and how whoever gets it can check it. */
function Export({ filters, keyId }: { filters: AuditFilters; keyId: string | null }) {
  const keys = useSealKeys();
  const id = keys.data?.find((key) => key.current)?.id ?? keyId;
  const check = `retinue audit verify audit.jsonl${id ? ` --key ${id}` : ""}`;
  const timed = Boolean(filters.since ?? filters.until);
  return (
    <Popover width={340} position="bottom-end" trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Button size="xs" variant="default">
          Export
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={classes.export} aria-label="Export the record">
        <p>
          {timed ? "All lines sealed in the chosen time, with their seals" : "All sealed lines with their seals"}, as JSON Lines.
          Other filters do not apply, so that it stays provable.
        </p>
        <p className={classes.quiet}>Anyone can check the file, without this server:</p>
        <Copied text={check} label="Copy the command" />
        {id ? (
          <>
            <p className={classes.quiet}>The key’s id. Keep it where nobody can change it together with the record:</p>
            <Copied text={id} label="Copy the key’s id" />
          </>
        ) : null}
        <Button
          component="a"
          href={exportAddress(filters)}
          download="audit.jsonl"
          size="xs"
          leftSection={<IconDownload size={16} stroke={1.5} />}
          data-autofocus
        >
          Download audit.jsonl
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}

function Copied({ text, label }: { text: string; label: string }) {
  return (
    <div className={classes.copied}>
      <code>{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}
