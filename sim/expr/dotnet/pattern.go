package dotnet

import (
	"fmt"
	"math"
	"strings"
)

// maxRepetitions is how often the counts in braces may make parts of a pattern repeat altogether. Without it a short pattern
// such as ((){1000000}){1000000} fills the memory before any time limit strikes.
const maxRepetitions = 1_000_000

// Pattern prepares a .NET regular expression for the library that runs it: named blocks such as \p{IsCyrillic}, which it
// does not know, become ranges of characters. A pattern whose counted repetitions multiply beyond sense is an error.
func Pattern(source string) (string, error) {
	s := &scanner{rest: source, open: []sizes{{}}, product: 1}
	for s.rest != "" {
		if err := s.step(); err != nil {
			return "", err
		}
	}
	for len(s.open) > 1 { // unbalanced: the library words that error
		s.closeGroup()
	}
	size := s.open[0].sum + s.open[0].last
	if s.extended { // comments may hide parentheses: take the worst case
		size = s.product * float64(len(source))
	}
	if size > maxRepetitions {
		return "", fmt.Errorf("the counts in braces multiply to more than %d repetitions", maxRepetitions)
	}
	return s.out.String(), nil
}

// sizes is how large what stands in one pair of parentheses is with its counts multiplied out: its last item and the sum
// of those before.
type sizes struct{ sum, last float64 }

type scanner struct {
	rest     string
	out      strings.Builder
	open     []sizes
	product  float64 // of all counts
	extended bool    // whether the option x may be on
}

// copy passes on the next n bytes.
func (s *scanner) copy(n int) {
	n = min(n, len(s.rest))
	s.out.WriteString(s.rest[:n])
	s.rest = s.rest[n:]
}

func (s *scanner) top() *sizes { return &s.open[len(s.open)-1] }

// item begins a new item of the innermost parentheses.
func (s *scanner) item(size float64) {
	t := s.top()
	t.sum, t.last = t.sum+t.last, size
}

func (s *scanner) closeGroup() {
	inner := *s.top()
	if len(s.open) == 1 { // one parenthesis too many: all before it counts as the group
		s.open[0] = sizes{last: inner.sum + inner.last + 1}
		return
	}
	s.open = s.open[:len(s.open)-1]
	s.item(inner.sum + inner.last + 1)
}

// step passes on one element of the pattern.
func (s *scanner) step() error {
	switch s.rest[0] {
	case '\\':
		s.item(1)
		return s.escape(false)
	case '[':
		s.item(1)
		return s.class()
	case '(':
		s.group()
	case ')':
		s.closeGroup()
		s.copy(1)
	case '{':
		s.count()
	case '*', '+', '?', '|':
		s.copy(1)
	default:
		s.item(1)
		s.copy(1)
	}
	return nil
}

// group opens parentheses, passes over a comment, and sees the options.
func (s *scanner) group() {
	if strings.HasPrefix(s.rest, "(?#") {
		end := strings.IndexByte(s.rest, ')')
		if end < 0 {
			end = len(s.rest) - 1
		}
		s.copy(end + 1)
		return
	}
	if options, ok := strings.CutPrefix(s.rest, "(?"); ok {
		on, _, _ := strings.Cut(options[:len(options)-len(strings.TrimLeft(options, "imnsx-"))], "-")
		s.extended = s.extended || strings.Contains(on, "x")
	}
	s.open = append(s.open, sizes{})
	s.copy(1)
}

// count multiplies the last item by the least number in {n}, {n,} or {n,m}; anything else in braces is literal.
func (s *scanner) count() {
	i, n := 1, 0.0
	for i < len(s.rest) && s.rest[i] >= '0' && s.rest[i] <= '9' {
		n = math.Min(n*10+float64(s.rest[i]-'0'), math.MaxInt32)
		i++
	}
	if i > 1 {
		n = math.Max(n, 1)
		s.top().last *= n
		s.product *= n
	}
	s.copy(i)
}

// escape passes on a backslash and what belongs to it; a named block becomes its range.
func (s *scanner) escape(inClass bool) error {
	if len(s.rest) < 5 || s.rest[1] != 'p' && s.rest[1] != 'P' || !strings.HasPrefix(s.rest[2:], "{Is") {
		s.copy(2)
		return nil
	}
	name, _, closed := strings.Cut(s.rest[3:], "}")
	if !closed {
		s.copy(2)
		return nil
	}
	block, ok := blocks[name]
	if !ok {
		return fmt.Errorf("there is no block of characters %s", name)
	}
	not := s.rest[1] == 'P'
	s.rest = s.rest[3+len(name)+1:]
	first, last := block[0], block[1]
	switch {
	case !inClass && not:
		fmt.Fprintf(&s.out, `[^\u%04X-\u%04X]`, first, last)
	case !inClass:
		fmt.Fprintf(&s.out, `[\u%04X-\u%04X]`, first, last)
	case !not:
		fmt.Fprintf(&s.out, `\u%04X-\u%04X`, first, last)
	default:
		if first > 0 {
			fmt.Fprintf(&s.out, `\u0000-\u%04X`, first-1)
		}
		if last < 0xffff {
			fmt.Fprintf(&s.out, `\u%04X-\uFFFF`, last+1)
		}
	}
	return nil
}

// class passes on a class of characters, whose first character may be a bracket, and from which another may be subtracted:
// [a-z-[aeiou]].
func (s *scanner) class() error {
	for depth, begin := 0, true; s.rest != ""; {
		switch c := s.rest[0]; {
		case c == '\\':
			if err := s.escape(true); err != nil {
				return err
			}
			begin = false
			continue
		case c == '[' && depth == 0:
			depth, begin = 1, true
			s.copy(1)
			if strings.HasPrefix(s.rest, "^") {
				s.copy(1)
			}
			continue
		case c == '-' && strings.HasPrefix(s.rest, "-[") && !begin:
			depth++
			s.copy(2)
			if strings.HasPrefix(s.rest, "^") {
				s.copy(1)
			}
			begin = true
			continue
		case c == ']' && !begin:
			s.copy(1)
			if depth--; depth == 0 {
				return nil
			}
			continue
		}
		s.copy(1)
		begin = false
	}
	return nil
}

// blocks are the named blocks of .NET (character-classes-in-regular-expressions.md, "Supported named blocks"), those of
// surrogates left out.
var blocks = map[string][2]rune{
	"IsBasicLatin": {0x0000, 0x007F}, "IsLatin-1Supplement": {0x0080, 0x00FF}, "IsLatinExtended-A": {0x0100, 0x017F},
	"IsLatinExtended-B": {0x0180, 0x024F}, "IsIPAExtensions": {0x0250, 0x02AF}, "IsSpacingModifierLetters": {0x02B0, 0x02FF},
	"IsCombiningDiacriticalMarks": {0x0300, 0x036F}, "IsGreek": {0x0370, 0x03FF}, "IsGreekandCoptic": {0x0370, 0x03FF},
	"IsCyrillic": {0x0400, 0x04FF}, "IsCyrillicSupplement": {0x0500, 0x052F}, "IsArmenian": {0x0530, 0x058F}, "IsHebrew": {0x0590, 0x05FF},
	"IsArabic": {0x0600, 0x06FF}, "IsSyriac": {0x0700, 0x074F}, "IsThaana": {0x0780, 0x07BF}, "IsDevanagari": {0x0900, 0x097F},
	"IsBengali": {0x0980, 0x09FF}, "IsGurmukhi": {0x0A00, 0x0A7F}, "IsGujarati": {0x0A80, 0x0AFF}, "IsOriya": {0x0B00, 0x0B7F},
	"IsTamil": {0x0B80, 0x0BFF}, "IsTelugu": {0x0C00, 0x0C7F}, "IsKannada": {0x0C80, 0x0CFF}, "IsMalayalam": {0x0D00, 0x0D7F},
	"IsSinhala": {0x0D80, 0x0DFF}, "IsThai": {0x0E00, 0x0E7F}, "IsLao": {0x0E80, 0x0EFF}, "IsTibetan": {0x0F00, 0x0FFF},
	"IsMyanmar": {0x1000, 0x109F}, "IsGeorgian": {0x10A0, 0x10FF}, "IsHangulJamo": {0x1100, 0x11FF}, "IsEthiopic": {0x1200, 0x137F},
	"IsCherokee": {0x13A0, 0x13FF}, "IsUnifiedCanadianAboriginalSyllabics": {0x1400, 0x167F}, "IsOgham": {0x1680, 0x169F},
	"IsRunic": {0x16A0, 0x16FF}, "IsTagalog": {0x1700, 0x171F}, "IsHanunoo": {0x1720, 0x173F}, "IsBuhid": {0x1740, 0x175F},
	"IsTagbanwa": {0x1760, 0x177F}, "IsKhmer": {0x1780, 0x17FF}, "IsMongolian": {0x1800, 0x18AF}, "IsLimbu": {0x1900, 0x194F},
	"IsTaiLe": {0x1950, 0x197F}, "IsKhmerSymbols": {0x19E0, 0x19FF}, "IsPhoneticExtensions": {0x1D00, 0x1D7F},
	"IsLatinExtendedAdditional": {0x1E00, 0x1EFF}, "IsGreekExtended": {0x1F00, 0x1FFF}, "IsGeneralPunctuation": {0x2000, 0x206F},
	"IsSuperscriptsandSubscripts": {0x2070, 0x209F}, "IsCurrencySymbols": {0x20A0, 0x20CF},
	"IsCombiningDiacriticalMarksforSymbols": {0x20D0, 0x20FF}, "IsCombiningMarksforSymbols": {0x20D0, 0x20FF},
	"IsLetterlikeSymbols": {0x2100, 0x214F}, "IsNumberForms": {0x2150, 0x218F}, "IsArrows": {0x2190, 0x21FF},
	"IsMathematicalOperators": {0x2200, 0x22FF}, "IsMiscellaneousTechnical": {0x2300, 0x23FF}, "IsControlPictures": {0x2400, 0x243F},
	"IsOpticalCharacterRecognition": {0x2440, 0x245F}, "IsEnclosedAlphanumerics": {0x2460, 0x24FF}, "IsBoxDrawing": {0x2500, 0x257F},
	"IsBlockElements": {0x2580, 0x259F}, "IsGeometricShapes": {0x25A0, 0x25FF}, "IsMiscellaneousSymbols": {0x2600, 0x26FF},
	"IsDingbats": {0x2700, 0x27BF}, "IsMiscellaneousMathematicalSymbols-A": {0x27C0, 0x27EF}, "IsSupplementalArrows-A": {0x27F0, 0x27FF},
	"IsBraillePatterns": {0x2800, 0x28FF}, "IsSupplementalArrows-B": {0x2900, 0x297F}, "IsMiscellaneousMathematicalSymbols-B": {0x2980, 0x29FF},
	"IsSupplementalMathematicalOperators": {0x2A00, 0x2AFF}, "IsMiscellaneousSymbolsandArrows": {0x2B00, 0x2BFF},
	"IsCJKRadicalsSupplement": {0x2E80, 0x2EFF}, "IsKangxiRadicals": {0x2F00, 0x2FDF}, "IsIdeographicDescriptionCharacters": {0x2FF0, 0x2FFF},
	"IsCJKSymbolsandPunctuation": {0x3000, 0x303F}, "IsHiragana": {0x3040, 0x309F}, "IsKatakana": {0x30A0, 0x30FF},
	"IsBopomofo": {0x3100, 0x312F}, "IsHangulCompatibilityJamo": {0x3130, 0x318F}, "IsKanbun": {0x3190, 0x319F},
	"IsBopomofoExtended": {0x31A0, 0x31BF}, "IsKatakanaPhoneticExtensions": {0x31F0, 0x31FF}, "IsEnclosedCJKLettersandMonths": {0x3200, 0x32FF},
	"IsCJKCompatibility": {0x3300, 0x33FF}, "IsCJKUnifiedIdeographsExtensionA": {0x3400, 0x4DBF}, "IsYijingHexagramSymbols": {0x4DC0, 0x4DFF},
	"IsCJKUnifiedIdeographs": {0x4E00, 0x9FFF}, "IsYiSyllables": {0xA000, 0xA48F}, "IsYiRadicals": {0xA490, 0xA4CF},
	"IsHangulSyllables": {0xAC00, 0xD7AF}, "IsPrivateUse": {0xE000, 0xF8FF}, "IsPrivateUseArea": {0xE000, 0xF8FF},
	"IsCJKCompatibilityIdeographs": {0xF900, 0xFAFF}, "IsAlphabeticPresentationForms": {0xFB00, 0xFB4F},
	"IsArabicPresentationForms-A": {0xFB50, 0xFDFF}, "IsVariationSelectors": {0xFE00, 0xFE0F}, "IsCombiningHalfMarks": {0xFE20, 0xFE2F},
	"IsCJKCompatibilityForms": {0xFE30, 0xFE4F}, "IsSmallFormVariants": {0xFE50, 0xFE6F}, "IsArabicPresentationForms-B": {0xFE70, 0xFEFF},
	"IsHalfwidthandFullwidthForms": {0xFF00, 0xFFEF}, "IsSpecials": {0xFFF0, 0xFFFF},
}
