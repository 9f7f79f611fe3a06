import { Drawer } from "@mantine/core";
import type { ReactNode } from "react";

import classes from "./Shell.module.css";

interface Props {
  title: string | undefined;
  opened: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** The sidebar on a phone. */
export function Sheet({ title, opened, onClose, children }: Props) {
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      size={300}
      padding={0}
      title={title}
      closeButtonProps={{ "aria-label": "Close sidebar" }}
      classNames={{ content: classes.sheet, header: classes.sheetHead, body: classes.sheetBody }}
      transitionProps={{ duration: 150 }}
    >
      {children}
    </Drawer>
  );
}
