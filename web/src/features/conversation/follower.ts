/**
 * Keeps the end of a scrolled box in view for a reader who is there, whatever grows, and for nobody else: from the
 * moment the reader moves up, nothing moves but what they move. Knows no React.
 */

/** So near to the end counts as being there. */
const NEAR = 8;
/** So far from it, a way back is offered. */
const FAR = 400;

export interface Place {
  /** Whether the reader is at the end and the view follows it. */
  bottom: boolean;
  /** Whether the end is out of sight. */
  far: boolean;
}

export class Follower {
  place: Place;
  private box: HTMLElement | null = null;
  private top = 0;
  private height = 0;
  private readonly watchers = new Set<() => void>();

  constructor(start: boolean) {
    this.place = { bottom: start, far: false };
  }

  /** Follows this box, whose size and whose content's size it watches. Returns what ends it. */
  readonly attach = (box: HTMLElement, content: HTMLElement): (() => void) => {
    this.box = box;
    this.settle();
    const observer = new ResizeObserver(this.settle);
    observer.observe(box);
    observer.observe(content);
    return () => {
      observer.disconnect();
      this.box = null;
    };
  };

  /** Puts the end into view, if it is followed. */
  readonly settle = (): void => {
    if (!this.box || !this.place.bottom) return;
    this.box.scrollTop = this.box.scrollHeight;
    this.remember(this.box);
  };

  readonly onScroll = (): void => {
    const box = this.box;
    if (!box) return;
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    const movedUp = box.scrollTop < this.top - 1 && box.scrollHeight >= this.height;
    this.remember(box);
    const bottom = left <= NEAR || (this.place.bottom && !movedUp);
    this.become({ bottom, far: left > FAR });
  };

  readonly toEnd = (): void => {
    this.become({ bottom: true, far: false });
    this.settle();
  };

  /** Stops following, for a jump elsewhere. */
  readonly leave = (): void => this.become({ ...this.place, bottom: false });

  readonly watch = (then: () => void): (() => void) => {
    this.watchers.add(then);
    return () => void this.watchers.delete(then);
  };

  readonly current = (): Place => this.place;

  private remember(box: HTMLElement): void {
    this.top = box.scrollTop;
    this.height = box.scrollHeight;
  }

  private become(place: Place): void {
    if (place.bottom === this.place.bottom && place.far === this.place.far) return;
    this.place = place;
    this.watchers.forEach((each) => each());
  }
}
