import type { ReactNode } from "react";

interface Props {
  name: string;
  children: ReactNode;
}

/** One name and its value, in a `dl`. */
export function Fact({ name, children }: Props) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
