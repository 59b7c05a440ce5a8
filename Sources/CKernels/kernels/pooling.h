// Max pooling of one image, vectors of channels at a time.

// The places from ..< to of a window that begins at `start` which lie inside 0 ..< extent.
typedef struct {
  int32_t from, to;
} range;

static range inside(int32_t start, int32_t kernel, int32_t extent) {
  return (range){greatest(0, -start), least(kernel, extent - start)};
}

// n channels of one window; `image` is the window's first pixel, inside or not.
INLINE void max_of_window(
    const ck_window *w, const float *image, range rows, range columns, size_t n, float *out, uint8_t *argmax) {
  const ptrdiff_t channels = w->channels;
  lanes best = {0}, v = {0};
  choice at = {0};
  int first = 1;
  for (int32_t ky = rows.from; ky < rows.to; ky++)
    for (int32_t kx = columns.from; kx < columns.to; kx++) {
      const float *pixel = image + ((ptrdiff_t)ky * w->width + kx) * channels;
      if (n == LANES) v = *(const unaligned_lanes *)pixel;
      else memcpy(&v, pixel, n * sizeof(float));
      // The first place is taken whatever it holds (it may be minus infinity); then only a larger one, or a NaN.
      const choice better = first ? ~(choice){0} : (choice)(v > best) | (choice)(v != v);
      best = (lanes)((better & (choice)v) | (~better & (choice)best));
      at = (better & (ky * w->kernel + kx)) | (~better & at);
      first = 0;
    }
  if (n == LANES) *(unaligned_lanes *)out = best;
  else memcpy(out, &best, n * sizeof(float));
  if (argmax == NULL) return;
  const byte_lanes narrow = __builtin_convertvector(at, byte_lanes);
  if (n == LANES) *(byte_lanes *)argmax = narrow;
  else memcpy(argmax, &narrow, n);
}

INLINE void max_of_windows(
    const ck_window *w, const float *restrict image, float *restrict out, uint8_t *restrict argmax, const int places) {
  const size_t channels = (size_t)w->channels, whole = channels - channels % LANES;
  for (int32_t oy = 0; oy < w->out_height; oy++) {
    const int32_t top = oy * w->stride - w->padding;
    const range rows = inside(top, w->kernel, w->height);
    for (int32_t ox = 0; ox < w->out_width; ox++, out += channels, argmax += places ? channels : 0) {
      const int32_t left = ox * w->stride - w->padding;
      const range columns = inside(left, w->kernel, w->width);
      const float *corner = image + ((ptrdiff_t)top * w->width + left) * (ptrdiff_t)channels;
      for (size_t c = 0; c < whole; c += LANES)
        max_of_window(w, corner + c, rows, columns, LANES, out + c, places ? argmax + c : NULL);
      if (whole < channels)
        max_of_window(
            w, corner + whole, rows, columns, channels - whole, out + whole, places ? argmax + whole : NULL);
    }
  }
}

static void KERNEL(max_pool)(const ck_window *w, const float *image, float *out, uint8_t *argmax) {
  if (argmax == NULL) max_of_windows(w, image, out, NULL, 0);
  else max_of_windows(w, image, out, argmax, 1);
}

typedef uint8_t many_bytes __attribute__((vector_size(4 * LANES)));
typedef uint8_t unaligned_bytes __attribute__((vector_size(4 * LANES), aligned(1), may_alias));

// n channels of one window, as above.
INLINE void max_of_bytes(
    const ck_window *w, const uint8_t *image, range rows, range columns, size_t n, uint8_t *out) {
  many_bytes most = {0}, v = {0};
  for (int32_t ky = rows.from; ky < rows.to; ky++)
    for (int32_t kx = columns.from; kx < columns.to; kx++) {
      const uint8_t *pixel = image + ((ptrdiff_t)ky * w->width + kx) * w->channels;
      if (n == sizeof v) v = *(const unaligned_bytes *)pixel;
      else memcpy(&v, pixel, n);
      const many_bytes more = (many_bytes)(v > most);
      most = (more & v) | (~more & most);
    }
  if (n == sizeof v) *(unaligned_bytes *)out = most;
  else memcpy(out, &most, n);
}

static void KERNEL(max_pool_bytes)(const ck_window *w, const uint8_t *restrict image, uint8_t *restrict out) {
  const size_t channels = (size_t)w->channels, step = sizeof(many_bytes), whole = channels - channels % step;
  for (int32_t oy = 0; oy < w->out_height; oy++) {
    const int32_t top = oy * w->stride - w->padding;
    const range rows = inside(top, w->kernel, w->height);
    for (int32_t ox = 0; ox < w->out_width; ox++, out += channels) {
      const int32_t left = ox * w->stride - w->padding;
      const range columns = inside(left, w->kernel, w->width);
      const uint8_t *corner = image + ((ptrdiff_t)top * w->width + left) * (ptrdiff_t)channels;
      for (size_t c = 0; c < whole; c += step) max_of_bytes(w, corner + c, rows, columns, step, out + c);
      if (whole < channels) max_of_bytes(w, corner + whole, rows, columns, channels - whole, out + whole);
    }
  }
}

// n channels of one pixel, which lies in the windows of output rows and columns.
INLINE void sum_of_windows(
    const ck_window *w, const float *dy, const uint8_t *argmax, int32_t y, int32_t x, range rows, range columns,
    size_t n, float *gradient) {
  lanes sum = {0}, v = {0};
  byte_lanes narrow = {0};
  for (int32_t oy = rows.from; oy < rows.to; oy++)
    for (int32_t ox = columns.from; ox < columns.to; ox++) {
      const size_t at = ((size_t)oy * (size_t)w->out_width + (size_t)ox) * (size_t)w->channels;
      const int32_t k = (y + w->padding - oy * w->stride) * w->kernel + x + w->padding - ox * w->stride;
      if (n == LANES) {
        v = *(const unaligned_lanes *)(dy + at);
        narrow = *(const byte_lanes *)(argmax + at);
      } else {
        memcpy(&v, dy + at, n * sizeof(float));
        memcpy(&narrow, argmax + at, n);
      }
      const choice won = __builtin_convertvector(narrow, choice) == k;
      sum += (lanes)(won & (choice)v);
    }
  if (n == LANES) *(unaligned_lanes *)gradient = sum;
  else memcpy(gradient, &sum, n * sizeof(float));
}

// The output rows (or columns) whose windows reach a pixel.
static range reaching(const ck_window *w, int32_t at, int32_t extent) {
  const int32_t before = at + w->padding - w->kernel + 1;
  return (range){before <= 0 ? 0 : (before + w->stride - 1) / w->stride, least(extent, (at + w->padding) / w->stride + 1)};
}

static void KERNEL(max_pool_backward)(
    const ck_window *w, const float *restrict out_gradient, const uint8_t *restrict argmax,
    float *restrict gradient) {
  const size_t channels = (size_t)w->channels, whole = channels - channels % LANES;
  for (int32_t y = 0; y < w->height; y++) {
    const range rows = reaching(w, y, w->out_height);
    for (int32_t x = 0; x < w->width; x++, gradient += channels) {
      const range columns = reaching(w, x, w->out_width);
      for (size_t c = 0; c < whole; c += LANES)
        sum_of_windows(w, out_gradient + c, argmax + c, y, x, rows, columns, LANES, gradient + c);
      if (whole < channels)
        sum_of_windows(
            w, out_gradient + whole, argmax + whole, y, x, rows, columns, channels - whole, gradient + whole);
    }
  }
}
