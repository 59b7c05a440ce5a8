// Loops over arrays without structure, and the optimizers' updates.

static void KERNEL(add)(float *restrict y, const float *restrict x, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

static void KERNEL(relu)(float *y, size_t count) {
  // `y < 0` is false for a NaN, which therefore passes.
  for (size_t i = 0; i < count; i++) y[i] = y[i] < 0 ? 0 : y[i];
}

static void KERNEL(relu_backward)(float *restrict dy, const float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) dy[i] = y[i] > 0 ? dy[i] : 0;
}

static void KERNEL(scale)(float *y, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] *= factor;
}

static void KERNEL(approach)(float *restrict y, const float *restrict x, float share, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += share * (x[i] - y[i]);
}

static double KERNEL(sum_of_squares)(const float *x, size_t count) {
  // Eight running sums: a fixed order of addition that still lets the compiler use vectors.
  double sums[8] = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t lane = 0; lane < 8; lane++) sums[lane] += (double)x[i + lane] * (double)x[i + lane];
  for (; i < count; i++) sums[0] += (double)x[i] * (double)x[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

static void KERNEL(sgd)(
    float *restrict value, float *restrict velocity, const float *restrict gradient, size_t count, float rate,
    float momentum, float decay, float gradient_scale, int nesterov) {
  const float look_ahead = nesterov ? momentum : 0, along = nesterov ? 1 : 0;
  for (size_t i = 0; i < count; i++) {
    const float g = gradient[i] * gradient_scale + decay * value[i];
    const float v = momentum * velocity[i] + g;
    velocity[i] = v;
    value[i] -= rate * (nesterov ? along * g + look_ahead * v : v);
  }
}

static void KERNEL(adamw)(
    float *restrict value, float *restrict mean, float *restrict square, const float *restrict gradient, size_t count,
    const ck_adamw_step *step) {
  const ck_adamw_step s = *step;
  for (size_t i = 0; i < count; i++) {
    const float g = gradient[i] * s.gradient_scale;
    const float m = mean[i] + s.mean_share * (g - mean[i]);
    const float v = s.square_kept * square[i] + s.square_share * g * g;
    mean[i] = m;
    square[i] = v;
    // The builtin rather than sqrtf, which may set errno and so cannot be computed in vectors.
    value[i] = s.value_kept * value[i] - s.rate * m / (__builtin_elementwise_sqrt(v) * s.root_scale + s.epsilon);
  }
}
