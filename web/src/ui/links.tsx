/** Buttons and anchors that go to a page of the app: typed by the router's addresses. */
import { Anchor, type AnchorProps, Button, type ButtonProps } from "@mantine/core";
import { createLink, type LinkComponent } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, Ref } from "react";

type Native<T> = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof T> & { ref?: Ref<HTMLAnchorElement> };

function PlainButton(props: ButtonProps & Native<ButtonProps>) {
  return <Button component="a" {...props} />;
}

function PlainAnchor(props: AnchorProps & Native<AnchorProps>) {
  return <Anchor {...props} />;
}

/** A button that is a link. */
export const LinkButton: LinkComponent<typeof PlainButton> = createLink(PlainButton);

/** A link in text. */
export const LinkAnchor: LinkComponent<typeof PlainAnchor> = createLink(PlainAnchor);
