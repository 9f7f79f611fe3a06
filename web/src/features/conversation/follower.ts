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
    box.addEventListener("wheel", this.onWheel, { passive: true });
    box.addEventListener("touchmove", this.onTouch, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("wheel", this.onWheel);
      box.removeEventListener("touchmove", this.onTouch);
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
    const shrunk = Math.max(0, this.height - box.scrollHeight);
    const movedUp = this.top - box.scrollTop > shrunk + 1;
    this.remember(box);
    const bottom = left <= NEAR || (this.place.bottom && !movedUp);
    this.become({ bottom, far: left > FAR });
  };

  /** The wheel says where the reader wants to go before anything has moved, whatever else moves meanwhile. */
  private readonly onWheel = (event: WheelEvent): void => {
    if (event.deltaY < 0 && !event.ctrlKey && this.box && this.box.scrollTop > 0) this.leave();
  };

  /** A finger on the page decides; its end at the bottom follows again. */
  private readonly onTouch = (): void => {
    if (this.box && this.box.scrollHeight > this.box.clientHeight) this.leave();
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
