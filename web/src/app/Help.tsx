import { Kbd, Modal } from "@mantine/core";
import { useMounted } from "@mantine/hooks";

import classes from "./Help.module.css";
import { HELP } from "./shortcuts";

/** The list of keys. */
export function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const here = useMounted(); // it opens only after it was closed, so that the focus comes back to where it was
  return (
    <Modal opened={opened && here} onClose={onClose} title="Keyboard" size="md" closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.groups}>
        {HELP.map(({ title, rows }) => (
          <section key={title}>
            <h3 className={classes.title}>{title}</h3>
            <dl className={classes.rows}>
              {rows.map(([keys, what]) => (
                <div key={keys} className={classes.row}>
                  <dt className={classes.what}>{what}</dt>
                  <dd className={classes.keys}>
                    {written(keys).map((key) => (
                      <Kbd key={key} size="sm">
                        {key}
                      </Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}

const APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);

function written(keys: string): string[] {
  return keys.split(" ").map((key) => (APPLE && key === "Ctrl" ? "⌘" : key));
}
