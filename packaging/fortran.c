/* Of Fortran's own library, all that LAPACK calls: one text of two, padded; powers; and a stop watch that nobody asks. */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

void _gfortran_concat_string(size_t length, char *to, size_t first, const char *a, size_t second, const char *b) {
    for (size_t at = 0; at < length; at++)
        to[at] = at < first ? a[at] : at - first < second ? b[at - first] : ' ';
}

#define POWER(name, real)                                     \
    real name(real base, int64_t exponent) {                  \
        uint64_t left = exponent < 0 ? -(uint64_t)exponent : (uint64_t)exponent; \
        real power = 1, square = exponent < 0 ? 1 / base : base; \
        for (; left; left >>= 1, square *= square)            \
            if (left & 1) power *= square;                    \
        return power;                                         \
    }
POWER(_gfortran_pow_r4_i8, float)
POWER(_gfortran_pow_r8_i8, double)

float _gfortran_etime(float *parts) {
    parts[0] = (float)clock() / CLOCKS_PER_SEC;
    parts[1] = 0;
    return parts[0];
}
