/* The flight kernel of opencram in C: what a compiler of C makes of the same equations, tables and lanes.
 *
 * Built and called by flight_speed.py, with -O3 -march=native -fno-math-errno.  It flies `count` flights from `states` (10 rows of
 * `count` columns, as the lanes of ballistics/propagation.py) to the constant ground and writes time, position and
 * velocity there to `landed` (7 rows).  The algorithm is that of ballistics/motion.py and propagation.py, step for
 * step: classical Runge-Kutta, one row of the air a step, one cell of the drag table a stage, and the root of a cubic
 * Hermite polynomial at the ground.  LANES flights go abreast.  It needs a processor with AVX2 or AVX-512.
 */

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* Vectors are written out, since GCC 12 gives up on the loop ("control flow in loop") under any flags. */
#ifdef __AVX512F__
#define WIDTH 8
typedef double vec __attribute__((vector_size(64)));
typedef __m256i cells;
#define SQRT(x) ((vec)_mm512_sqrt_pd((__m512d)(x)))
#define LEAST(x, y) ((vec)_mm512_min_pd((__m512d)(x), (__m512d)(y)))
#define MOST(x, y) ((vec)_mm512_max_pd((__m512d)(x), (__m512d)(y)))
#define CELLS(x) _mm512_cvttpd_epi32((__m512d)(x))
#define NUMBERS(i) ((vec)_mm512_cvtepi32_pd(i))
#define GATHER(table, i) ((vec)_mm512_i32gather_pd(i, table, 8))
#define TIMES_NINE(i) _mm256_add_epi32(i, _mm256_slli_epi32(i, 3))
#else
#define WIDTH 4
typedef double vec __attribute__((vector_size(32)));
typedef __m128i cells;
#define SQRT(x) ((vec)_mm256_sqrt_pd((__m256d)(x)))
#define LEAST(x, y) ((vec)_mm256_min_pd((__m256d)(x), (__m256d)(y)))
#define MOST(x, y) ((vec)_mm256_max_pd((__m256d)(x), (__m256d)(y)))
#define CELLS(x) _mm256_cvttpd_epi32((__m256d)(x))
#define NUMBERS(i) ((vec)_mm256_cvtepi32_pd(i))
#define GATHER(table, i) ((vec)_mm256_i32gather_pd(table, i, 8))
#define TIMES_NINE(i) _mm_add_epi32(i, _mm_slli_epi32(i, 3))
#endif

#ifndef LANES
#define LANES 24
#endif
#define VECTORS (LANES / WIDTH)

#define AIR_STEP_M 100.0
#define AIR_BOTTOM_M (-500.0)
#define AIR_COLUMNS 9
#define REACH_M 1000.0
#define MACH_MAX 5.0

struct site {
    double height_m, ground_m, curvature_east, curvature_north;
    double gravity, gravity_north, gravity_up, gravity_up2;
    double coriolis_north, coriolis_up;
    const double *air;
    int64_t air_rows;
    int64_t mach_steps; /* of the drag table, which has one value more */
};

struct vector { vec e, n, u; };
struct air { vec base, density, density1, density2, sound, sound1, east, east1, north, north1; };

#define ALTITUDE(e, n, u, s) \
    ((s)->height_m + (u) + 0.5 * ((e) * (e) * (s)->curvature_east + (n) * (n) * (s)->curvature_north) \
     * (1.0 - (u) * (s)->curvature_north))

static inline __attribute__((always_inline)) struct vector
acceleration(vec e, vec n, vec u, vec ve, vec vn, vec vu, vec inverse, vec wind_e, vec wind_n, vec spin,
             const struct air *air, const struct site *s, const double *cd)
{
    vec h = ALTITUDE(e, n, u, s), zero = {0};
    vec rise = LEAST(MOST(h - air->base, zero - REACH_M), zero + REACH_M);
    vec density = air->density + rise * (air->density1 + rise * air->density2);
    vec sound_inverse = air->sound + rise * air->sound1;
    vec ae = ve - wind_e - (air->east + rise * air->east1);
    vec an = vn - wind_n - (air->north + rise * air->north1);
    vec speed = SQRT(ae * ae + an * an + vu * vu);
    const double last = (double)s->mach_steps;
    vec mach = LEAST(speed * sound_inverse * (last * (1.0 / MACH_MAX)), zero + (last - 1e-6));
    cells below = CELLS(mach);
    vec part = mach - NUMBERS(below), low = GATHER(cd, below), high = GATHER(cd + 1, below);
    vec drag = -0.5 * density * speed * inverse * (low + part * (high - low));
    vec tilt_e = e * s->curvature_east, tilt_n = n * s->curvature_north;
    vec g = s->gravity + n * s->gravity_north + h * (s->gravity_up + h * s->gravity_up2);
    vec yaw = spin * g / (ve * ve + vn * vn + vu * vu + 1.0);
    struct vector a;
    a.e = drag * ae - g * tilt_e + s->coriolis_up * vn - s->coriolis_north * vu + yaw * vn;
    a.n = drag * an - g * tilt_n - s->coriolis_up * ve - yaw * ve;
    a.u = drag * vu - g * (1.0 - 0.5 * (tilt_e * tilt_e + tilt_n * tilt_n)) + s->coriolis_north * ve;
    return a;
}

static inline __attribute__((always_inline)) struct air air_at(vec e, vec n, vec u, const struct site *s)
{
    vec zero = {0};
    vec place = (ALTITUDE(e, n, u, s) - AIR_BOTTOM_M) * (1.0 / AIR_STEP_M) + 0.5;
    cells row = CELLS(LEAST(MOST(place, zero), zero + ((double)s->air_rows - 1.0)));
    cells first = TIMES_NINE(row);
    const double *table = s->air;
    struct air air = {
        AIR_BOTTOM_M + NUMBERS(row) * AIR_STEP_M, GATHER(table, first), GATHER(table + 1, first),
        GATHER(table + 2, first), GATHER(table + 3, first), GATHER(table + 4, first), GATHER(table + 5, first),
        GATHER(table + 6, first), GATHER(table + 7, first), GATHER(table + 8, first),
    };
    return air;
}

static inline __attribute__((always_inline)) void step(vec x[restrict 10][VECTORS], double dt,
                                                       const struct site *restrict s, const double *restrict cd)
{
    const double half = 0.5 * dt, sixth = dt / 6.0;
    for (int i = 0; i < VECTORS; i++) {
        vec e = x[0][i], n = x[1][i], u = x[2][i], ve = x[3][i], vn = x[4][i], vu = x[5][i];
        vec inverse = x[6][i], wind_e = x[7][i], wind_n = x[8][i], spin = x[9][i];
        struct air air = air_at(e, n, u, s);
#define FELT(e, n, u, ve, vn, vu) acceleration(e, n, u, ve, vn, vu, inverse, wind_e, wind_n, spin, &air, s, cd)
        struct vector a1 = FELT(e, n, u, ve, vn, vu);
        vec v2e = ve + half * a1.e, v2n = vn + half * a1.n, v2u = vu + half * a1.u;
        struct vector a2 = FELT(e + half * ve, n + half * vn, u + half * vu, v2e, v2n, v2u);
        vec v3e = ve + half * a2.e, v3n = vn + half * a2.n, v3u = vu + half * a2.u;
        struct vector a3 = FELT(e + half * v2e, n + half * v2n, u + half * v2u, v3e, v3n, v3u);
        vec v4e = ve + dt * a3.e, v4n = vn + dt * a3.n, v4u = vu + dt * a3.u;
        struct vector a4 = FELT(e + dt * v3e, n + dt * v3n, u + dt * v3u, v4e, v4n, v4u);
#undef FELT
        x[0][i] = e + sixth * (ve + 2.0 * (v2e + v3e) + v4e);
        x[1][i] = n + sixth * (vn + 2.0 * (v2n + v3n) + v4n);
        x[2][i] = u + sixth * (vu + 2.0 * (v2u + v3u) + v4u);
        x[3][i] = ve + sixth * (a1.e + 2.0 * (a2.e + a3.e) + a4.e);
        x[4][i] = vn + sixth * (a1.n + 2.0 * (a2.n + a3.n) + a4.n);
        x[5][i] = vu + sixth * (a1.u + 2.0 * (a2.u + a3.u) + a4.u);
    }
}

static inline double altitude(double e, double n, double u, const struct site *s)
{
    return ALTITUDE(e, n, u, s);
}

static double hermite(double y0, double d0, double y1, double d1, double t)
{
    double s = 1.0 - t;
    return s * s * ((1.0 + 2.0 * t) * y0 + t * d0) + t * t * ((3.0 - 2.0 * t) * y1 - s * d1);
}

static double hermite_slope(double y0, double d0, double y1, double d1, double t)
{
    double s = 1.0 - t;
    return 6.0 * t * s * (y1 - y0) + s * (1.0 - 3.0 * t) * d0 + t * (3.0 * t - 2.0) * d1;
}

static void land(double (*before)[LANES], double (*after)[LANES], int i, double above, double below, double dt, int64_t k,
                 double *landed, int64_t count, int64_t column)
{
    double part = above <= below ? 1.0 : fmin(fmax(above / (above - below), 0.0), 1.0);
    for (int turn = 0; turn < 4; turn++) {
        double value = hermite(above, before[5][i] * dt, below, after[5][i] * dt, part);
        double slope = hermite_slope(above, before[5][i] * dt, below, after[5][i] * dt, part);
        if (slope < 0.0)
            part = fmin(fmax(part - value / slope, 0.0), 1.0);
    }
    landed[column] = ((double)k + part) * dt;
    for (int axis = 0; axis < 3; axis++) {
        double y0 = before[axis][i], y1 = after[axis][i], d0 = before[3 + axis][i] * dt, d1 = after[3 + axis][i] * dt;
        landed[(1 + axis) * count + column] = hermite(y0, d0, y1, d1, part);
        landed[(4 + axis) * count + column] = hermite_slope(y0, d0, y1, d1, part) / dt;
    }
}

/* `count` must be a multiple of LANES.  Returns how many landed. */
int64_t fly_to_ground(const double *states, int64_t count, double dt, double t_max, const struct site *s,
                      const double *cd, double *landed)
{
    int64_t down = 0, steps = (int64_t)ceil(t_max / dt);
    for (int64_t first = 0; first < count; first += LANES) {
        vec block[10][VECTORS];
        double (*x)[LANES] = (double (*)[LANES])block, before[6][LANES];
        int done[LANES] = {0}, left = LANES;
        for (int row = 0; row < 10; row++)
            for (int i = 0; i < LANES; i++)
                x[row][i] = row == 6 ? exp(-states[row * count + first + i]) : states[row * count + first + i];
        for (int64_t k = 0; k < steps && left; k++) {
            memcpy(before, block, sizeof before);
            step(block, dt, s, cd);
            double lowest = INFINITY;
            for (int i = 0; i < LANES; i++) {
                double h = altitude(x[0][i], x[1][i], x[2][i], s) - s->ground_m;
                lowest = h < lowest ? h : lowest;
            }
            if (lowest > 0.0)
                continue;
            for (int i = 0; i < LANES; i++) {
                double below = altitude(x[0][i], x[1][i], x[2][i], s) - s->ground_m;
                if (below <= 0.0 && x[5][i] < 0.0 && !done[i]) {
                    double above = altitude(before[0][i], before[1][i], before[2][i], s) - s->ground_m;
                    land(before, x, i, above, below, dt, k, landed, count, first + i);
                    done[i] = 1;
                    left--;
                    down++;
                }
            }
        }
    }
    return down;
}
