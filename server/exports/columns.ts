// The part for frameworks whose step is a tensor: the stretches as two tables, from which a step takes one row, so that
// no Python branch hangs on it. Steps count from FIRST_STEP, else 32 bits would not hold the numbers of a long-lived job.
// Written for 32 bits: no two numbers are subtracted that are near each other, as few digits would be left. So what is
// left of an anneal is counted from its end, and a rate is a share of its first plus a share of its last.

/** `_tables()`: as NumPy arrays. */
export const tablesText = `_KINDS = ("linear", "cosine", "oneMinusSqrt", "exponential", "listed")


def _tables():
    """Arrays: first step, steps a rate holds, kind, place in the list, length; the numbers of the shapes; the list."""
    import numpy

    whole, numbers, listed = [], [], []
    for first, every, shape, own in _STRETCHES:
        begin = first - FIRST_STEP
        row = (begin, every, _KINDS.index("linear" if shape == "held" else shape))
        if shape == "listed":
            whole.append((*row, len(listed), len(own)))
            numbers.append((0.0, 1.0, 1.0, 0.0, 0.0, 0.0))
            listed.extend(own)
            continue
        from_step, to_step, start, end = (first, first + 1, own[0], own[0]) if shape == "held" else own
        ratio = math.log(end / start) if shape == "exponential" else 0.0
        whole.append((*row, 0, 1))
        numbers.append((first - from_step, to_step - first, to_step - from_step, start, end, ratio))
    whole = numpy.minimum(numpy.array(whole, dtype="int64"), 2**31 - 1).astype("int32")
    return whole, numpy.array(numbers, dtype="float64"), numpy.array(listed or [0.0], dtype="float64")
`

/** The rate from one row, in the words of `np`, a module like NumPy with `take`, `where` and the rest; `float_of` casts. */
export const rowText = `def _rate(np, float_of, count, row, numbers, listed):
    first, every, kind, offset, length = (row[..., i] for i in range(5))
    places = np.floor_divide(np.maximum(count - first, 0), every)
    passed = float_of(places * every)
    before, left, whole, start, end, ratio = (numbers[..., i] for i in range(6))
    z = np.clip((before + passed) / whole, 0.0, 1.0)
    w = np.clip((left - passed) / whole, 0.0, 1.0)  # 1 - z, with all its digits near the end
    wave, root = math.pi / 2, np.sqrt(z)
    shares = ((w, z), (np.square(np.sin(wave * w)), np.square(np.sin(wave * z))), (w / (1.0 + root), root))
    rate = np.take(listed, offset + np.minimum(places, length - 1))
    rate = np.where(kind == 3, start * np.exp(ratio * z), rate)
    for i, (of_start, of_end) in enumerate(shares):
        rate = np.where(kind == i, start * of_start + end * of_end, rate)
    return rate
`
