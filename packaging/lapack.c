/* What the reference LAPACK says of an argument out of range; its own ends the program, OpenBLAS's does not either. */
#include <stdio.h>

void xerbla_(const char *routine, const int *argument, size_t length) {
    fprintf(stderr, "%.*s: argument %d is out of range\n", (int)length, routine, *argument);
}

void cblas_xerbla(int argument, const char *routine, const char *form, ...) {
    (void)form;
    fprintf(stderr, "%s: argument %d is out of range\n", routine, argument);
}
