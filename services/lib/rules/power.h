// Powers that come out the same, to the last bit, on every machine: one of two owners of a
// partition must never find another hundredth than the other.
//
// Only what IEEE 754 defines exactly is used: +, -, *, / and scaling by powers of two, in one
// order. The C library's pow, exp and log differ between machines and releases in their last bit.
// The file is compiled without contraction (-ffp-contract=off). Right to about 2 parts in 10^15 for
// results near 1. Pure.
#pragma once

namespace simpul::rules {

// The natural logarithm of x, which is positive and finite.
double Ln(double x);

// e to the power of t. Beyond the range of double: 0 or infinity.
double Exp(double t);

// x to the power of p; x is positive and finite. Exactly x for p = 1.
double Power(double x, double p);

}  // namespace simpul::rules
