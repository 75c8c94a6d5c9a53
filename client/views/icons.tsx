// The page's drawings, as paths in the current colour. Decoration throughout: the words beside them, or the
// button's label, carry the meaning.

const paths = {
  running: { box: 10, fill: 'M5 1.6A3.4 3.4 0 1 1 5 8.4A3.4 3.4 0 1 1 5 1.6Z' },
  waiting: { box: 10, stroke: 'M5 1v4.6M5 8.4v.4', width: 2 },
  stale: { box: 10, stroke: 'M5 1.2A3.8 3.8 0 1 1 5 8.8A3.8 3.8 0 1 1 5 1.2ZM5 2.9V5l1.5 1', width: 1.3 },
  finished: { box: 10, stroke: 'M1.5 5.4L4 7.8L8.6 2.6', width: 1.8 },
  diverged: { box: 10, stroke: 'M2 8.5L4.2 6L5.6 7L8.4 1.6M5.6 1.4H8.6V4.4', width: 1.5 },
  paused: { box: 10, stroke: 'M3.2 2v6M6.8 2v6', width: 1.8 },
  question: { box: 16, stroke: 'M5.6 6a2.4 2.4 0 1 1 3.5 2.1c-.7.4-1.1.8-1.1 1.6M8 12.2v.1', width: 1.6 },
  more: { box: 16, stroke: 'M3.5 8v.01M8 8v.01M12.5 8v.01', width: 2.7 },
  left: { box: 16, stroke: 'M10 3.5L5.5 8L10 12.5', width: 1.6 },
  right: { box: 16, stroke: 'M6 3.5L10.5 8L6 12.5', width: 1.6 },
  close: { box: 16, stroke: 'M4 4L12 12M12 4L4 12', width: 1.6 },
  table: { box: 16, stroke: 'M2.5 3.5h11v9h-11zM2.5 6.7h11M6.5 6.7v5.8', width: 1.3 },
  dark: { box: 16, stroke: 'M13 9.6A5.4 5.4 0 0 1 6.4 3 5.4 5.4 0 1 0 13 9.6Z', width: 1.4 },
  light: {
    box: 16,
    stroke:
      'M8 5.2A2.8 2.8 0 1 1 8 10.8A2.8 2.8 0 1 1 8 5.2ZM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
    width: 1.4,
  },
  system: { box: 16, stroke: 'M2.5 3.5h11v7.5h-11zM6 13.5h4', width: 1.4 },
  search: { box: 16, stroke: 'M7 3A4 4 0 1 1 7 11A4 4 0 1 1 7 3ZM10 10l3.2 3.2', width: 1.5 },
  offline: {
    box: 16,
    stroke: 'M2 6.5a9 9 0 0 1 12 0M4.6 9.2a5 5 0 0 1 6.8 0M8 12.4v.1M3 13L13 3',
    width: 1.5,
  },
  alert: {
    box: 16,
    stroke: 'M8 4.6v4.2M8 11.4v.1M8 1.8A6.2 6.2 0 1 1 8 14.2A6.2 6.2 0 1 1 8 1.8Z',
    width: 1.6,
  },
} as const
export type IconName = keyof typeof paths

export function Icon(props: { name: IconName; size?: number }) {
  const drawing = paths[props.name]
  const size = props.size ?? drawing.box
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox={`0 0 ${drawing.box} ${drawing.box}`}
      aria-hidden="true"
    >
      {'fill' in drawing ? (
        <path d={drawing.fill} fill="currentColor" />
      ) : (
        <path
          d={drawing.stroke}
          fill="none"
          stroke="currentColor"
          stroke-width={drawing.width}
          stroke-linecap="round"
          stroke-linejoin="round"
        />
      )}
    </svg>
  )
}

export function Logo() {
  return (
    <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
      <rect class="logo-ground" width="22" height="22" rx="5.5" />
      <path class="logo-stay" d="M4.5 7.5H11" />
      <path class="logo-anneal" d="M11 7.5L17.5 15.5" />
      <circle class="logo-knot" cx="11" cy="7.5" r="2.5" />
    </svg>
  )
}
