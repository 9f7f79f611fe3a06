/** How far one has read a channel, told to the server a moment later: only forwards, one request at a time. No React. */

export class ReadMark {
  private wanted = 0;
  private told = 0;
  private busy = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    /** Tells the server; may fail. */
    private readonly tell: (seq: number) => Promise<void>,
    /** Whether somebody looks. */
    private readonly isLooking: () => boolean,
    private readonly pause = 600,
  ) {}

  /** Everything up to here was seen. */
  see(seq: number): void {
    if (seq <= this.wanted) return;
    this.wanted = seq;
    this.later();
  }

  /** Tells after the pause, when there is something to tell. */
  later(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.now(), this.pause);
  }

  /** Tells at once: the channel is left. */
  leave(): void {
    clearTimeout(this.timer);
    void this.now();
  }

  private async now(): Promise<void> {
    const seq = this.wanted;
    if (this.busy || seq <= this.told || !this.isLooking()) return;
    this.busy = true;
    try {
      await this.tell(seq);
      this.told = seq;
    } catch {
      return; // said again with the next message that is seen
    } finally {
      this.busy = false;
    }
    if (this.wanted > seq) this.later();
  }
}
