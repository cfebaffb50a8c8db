/* The grammar.  Actions only build nodes (build.c): no names are looked up, no
 * types are known, nothing is printed.  README.md has the precedence table and
 * the steps for adding a construct.
 *
 * The token feed (feed.c) decides what needs more than one token of lookahead:
 * LIT_LBRACE begins a struct literal, MAX ends a `while` condition, FIXED_OF is
 * `fixed` before `<`, and GT_ADJ is a `>` directly before another one.
 */
%code requires {
#include "grammar/parse_impl.h"
}

%define api.pure full
%define api.prefix {chi_yy}
%define api.token.prefix {TOK_}
%define api.location.type {span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%parse-param { parser *ps }
%lex-param { parser *ps }

%union {
  token tok;
  node *node;
  node_list list;
  node_op op;
}

%code {
/* Deep enough for PARSE_MAX_NESTING brackets with every level of precedence
 * open in each; prefix chains (- - - x) run into it and are reported. */
#define YYMAXDEPTH 60000
#define YYSTACK_USE_ALLOCA 0

/* Byte ranges; an empty rule is the empty range after what precedes it. */
#define YYLLOC_DEFAULT(CUR, RHS, N)                                            \
  do {                                                                         \
    if (N)                                                                     \
      (CUR) = (span){YYRHSLOC(RHS, 1).start, YYRHSLOC(RHS, N).end};            \
    else                                                                       \
      (CUR) = (span){YYRHSLOC(RHS, 0).end, YYRHSLOC(RHS, 0).end};              \
  } while (0)

static int chi_yylex(CHI_YYSTYPE *val, span *sp, parser *ps);
static void chi_yyerror(span *sp, parser *ps, const char *msg);

/* Recovery: drop the lookahead, let the feed go on at a sound place. */
#define RESYNC(LEVEL)                                                          \
  do {                                                                         \
    if (!feed_resync(ps, (LEVEL))) YYABORT;                                    \
    yyclearin;                                                                 \
    yyerrok;                                                                   \
  } while (0)

#define HERE(A, B) span_join((A), (B))
}

%initial-action { @$ = (span){ps->file->base, ps->file->base}; }

%token END 0 "end of file"
%token <tok> IDENT "name" INT "number" DECIMAL "decimal" STRING "string"
%token <tok> CONST "const" CONTRACT "contract" FN "fn" IMPORT "import"
%token <tok> STRUCT "struct" TEST "test"
%token <tok> FIXED "fixed" FIXED_OF "fixed of" TRUE "true" FALSE "false"
%token ELSE "else" FOR "for" IF "if" IN "in" LET "let" MAX "max"
%token PUBLIC "public" RETURN "return" SECRET "secret" VAR "var" WHILE "while"
%token <tok> ACTION "action" EVENT "event" STATE "state" VIEW "view"
%token <tok> CALLER "caller"
%token EMIT "emit"
%token LPAREN "(" RPAREN ")" LBRACKET "[" RBRACKET "]" RBRACE "}"
%token <tok> LBRACE "{"
%token LIT_LBRACE "{ of literal"
%token COMMA "," SEMI ";" COLON ":" DOT "." DOTDOT ".." DOTDOT_EQ "..="
%token ARROW "->" FAT_ARROW "=>" HASH "#" BANG "!" TILDE "~"
%token ASSIGN "=" PLUS_EQ "+=" MINUS_EQ "-=" STAR_EQ "*=" SLASH_EQ "/="
%token PERCENT_EQ "%=" AMP_EQ "&=" PIPE_EQ "|=" CARET_EQ "^=" SHL_EQ "<<="
%token SHR_EQ ">>="

%token OROR "||" ANDAND "&&" EQ "==" NE "!=" LT "<" LE "<=" GT ">" GE ">="
%token PIPE "|" CARET "^" AMP "&" SHL "<<" GT_ADJ ">>" PLUS "+" MINUS "-"
%token STAR "*" SLASH "/" PERCENT "%" AT "@"

%left "||"
%left "&&"
%left "==" "!=" "<" "<=" ">" ">="
%left "|"
%left "^"
%left "&"
%left "<<" ">>"
%left "+" "-"
%left "*" "/" "%" "@"
%precedence UNARY

%type <node> item import fn struct const test contract attr block stmt pattern
%type <node> result otype type size source from expr sexpr operand primary if
%type <node> prefix arg field index param generics fn_head targ
%type <node> member state public_state event action template templates cparams
%type <list> attrs attr_list names names1 params params1 types targs exprs args args1
%type <list> fields indices stmts sources patterns members templates1
%type <tok> path tname
%type <op> assign_op

%%

file:
  items
;

items:
  %empty
| items item            { list_push(ps, &ps->items, $item); }
;

item:
  import
| fn
| struct
| const
| test
| contract
| ";"                   { $$ = NULL; }
| error                 { RESYNC(SYNC_ITEM); $$ = mk(ps, N_ERROR, @$, 0); }
;

import:
  "import" path[p] ";"  {
    $$ = name_node(mk(ps, N_IMPORT, @$, 0), &$p);
    $$->doc = NULL;
  }
;

path:
  "name"
| path[l] "." "name"[r] { $$ = dotted(ps, &$l, &$r); }
;

/* ---- contracts ---- */

contract:
  "contract"[k] "name"[n] templates cparams "{" members "}" {
    node_list all = {0};
    list_push(ps, &all, $cparams);
    for (size_t i = 0; i < $members.n; i++) list_push(ps, &all, $members.p[i]);
    $$ = name_node(mk_list(ps, N_CONTRACT, @$, $templates, &all), &$n);
    $$->doc = $k.doc;
  }
;

templates:
  %empty {
    node_list none = {0};
    $$ = mk_list(ps, N_TEMPLATES, @$, NULL, &none);
  }
| "<" templates1[l] comma_opt gt {
    $$ = mk_list(ps, N_TEMPLATES, @$, NULL, &$l);
  }
;

templates1:
  template              { $$ = (node_list){0}; list_push(ps, &$$, $template); }
| templates1[l] "," template { $$ = $l; list_push(ps, &$$, $template); }
;

/* The default is a `size`, so that `>` can close the list. */
template:
  "name"[n] "=" size {
    $$ = name_node(mk(ps, N_TEMPLATE, @$, 1, $size), &$n);
  }
;

cparams:
  %empty {
    node_list none = {0};
    $$ = mk_list(ps, N_PARAMS, @$, NULL, &none);
  }
| "(" params ")"        { $$ = mk_list(ps, N_PARAMS, @$, NULL, &$params); }
;

members:
  %empty                { $$ = (node_list){0}; }
| members[l] member     { $$ = $l; list_push(ps, &$$, $member); }
;

member:
  const
| struct
| fn
| state
| event
| action
| ";"                   { $$ = NULL; }
| error                 { RESYNC(SYNC_MEMBER); $$ = mk(ps, N_ERROR, @$, 0); }
;

state:
  public_state
| "secret" public_state[s] { $$ = $s; $$->op = 1; $$->sp = @$; }
;

public_state:
  "state"[k] "name"[n] ":" type ";" {
    $$ = name_node(mk(ps, N_STATE, @$, 2, $type, (node *)NULL), &$n);
    $$->doc = $k.doc;
  }
| "state"[k] "name"[n] ":" type "=" expr ";" {
    $$ = name_node(mk(ps, N_STATE, @$, 2, $type, $expr), &$n);
    $$->doc = $k.doc;
  }
;

event:
  "event"[k] "name"[n] "(" params ")" ";" {
    $$ = name_node(mk_list(ps, N_EVENT, @$, NULL, &$params), &$n);
    $$->doc = $k.doc;
  }
;

action:
  attrs "action"[k] fn_head block {
    $$ = mk_fn(ps, HERE($k.sp, @block), $fn_head, $block,
               mk_list(ps, N_ATTRS, @attrs, NULL, &$attrs), FN_ACTION);
    $$->doc = $k.doc;
  }
| attrs "view"[k] fn_head block {
    $$ = mk_fn(ps, HERE($k.sp, @block), $fn_head, $block,
               mk_list(ps, N_ATTRS, @attrs, NULL, &$attrs), FN_VIEW);
    $$->doc = $k.doc;
  }
| attrs "action" error  { RESYNC(SYNC_HEADER); }[sync] block {
    (void)$attrs;
    $$ = mk(ps, N_ERROR, HERE(@2, @block), 0);
  }
| attrs "view" error    { RESYNC(SYNC_HEADER); }[sync] block {
    (void)$attrs;
    $$ = mk(ps, N_ERROR, HERE(@2, @block), 0);
  }
;

const:
  "const"[k] "name"[n] otype "=" expr ";" {
    $$ = name_node(mk(ps, N_CONST_, @$, 2, $otype, $expr), &$n);
    $$->doc = $k.doc;
  }
;

test:
  "test"[k] "string"[n] block {
    $$ = name_node(mk(ps, N_TEST, @$, 1, $block), &$n);
    $$->doc = $k.doc;
  }
;

struct:
  "struct"[k] "name"[n] generics "{" params "}" {
    $$ = name_node(mk_list(ps, N_STRUCT, @$, $generics, &$params), &$n);
    $$->doc = $k.doc;
  }
;

fn:
  attrs "fn"[k] fn_head block {
    $$ = mk_fn(ps, HERE($k.sp, @block), $fn_head, $block,
               mk_list(ps, N_ATTRS, @attrs, NULL, &$attrs), FN_PLAIN);
    $$->doc = $k.doc;
  }
| attrs "fn"[k] fn_head "=" "string"[file] ";" {
    $$ = mk_fn(ps, HERE($k.sp, @6), $fn_head, mk_token(ps, N_STRING, &$file),
               mk_list(ps, N_ATTRS, @attrs, NULL, &$attrs), FN_PLAIN);
    $$->doc = $k.doc;
  }
| attrs "fn" error      { RESYNC(SYNC_HEADER); }[sync] block {
    (void)$attrs;
    $$ = mk(ps, N_ERROR, HERE($2.sp, @block), 0);
  }
;

/* Carries the name and three of FN's children; not part of the tree. */
fn_head:
  "name"[n] generics "("[l] params ")"[r] result {
    node *ps_ = mk_list(ps, N_PARAMS, HERE(@l, @r), NULL, &$params);
    $$ = name_node(mk(ps, N_FN, @$, 3, $generics, ps_, $result), &$n);
  }
;

result:
  %empty                { $$ = NULL; }
| "->" type             { $$ = $type; }
;

attrs:
  %empty                { $$ = (node_list){0}; }
| attrs[l] "#" "[" attr_list[more] "]" {
    $$ = $l;
    for (size_t i = 0; i < $more.n; i++) list_push(ps, &$$, $more.p[i]);
  }
;

attr_list:
  attr                  { $$ = (node_list){0}; list_push(ps, &$$, $attr); }
| attr_list[l] "," attr { $$ = $l; list_push(ps, &$$, $attr); }
;

attr:
  "name"[n]             { $$ = name_node(mk(ps, N_ATTR, @$, 0), &$n); }
| "name"[n] "(" expr ")" {
    $$ = name_node(mk(ps, N_ATTR, @$, 1, $expr), &$n);
  }
;

generics:
  %empty {
    node_list none = {0};
    $$ = mk_list(ps, N_GENERICS, @$, NULL, &none);
  }
| "<" names gt          { $$ = mk_list(ps, N_GENERICS, @$, NULL, &$names); }
;

names:
  names1 comma_opt
;

names1:
  "name"[n] {
    $$ = (node_list){0};
    list_push(ps, &$$, mk_token(ps, N_NAME, &$n));
  }
| names1[l] "," "name"[n] {
    $$ = $l;
    list_push(ps, &$$, mk_token(ps, N_NAME, &$n));
  }
;

params:
  %empty                { $$ = (node_list){0}; }
| params1 comma_opt
;

params1:
  param                 { $$ = (node_list){0}; list_push(ps, &$$, $param); }
| params1[l] "," param  { $$ = $l; list_push(ps, &$$, $param); }
;

param:
  "name"[n] ":" type {
    $$ = name_node(mk(ps, N_PARAM, @$, 1, $type), &$n);
  }
;

comma_opt:
  %empty
| ","
;

gt:
  ">"
| ">>"
;

/* ---- types ---- */

otype:
  %empty                { $$ = NULL; }
| ":" type              { $$ = $type; }
;

type:
  tname[n]              { $$ = mk_token(ps, N_TY_NAME, &$n); }
| tname[n] "<" targs gt {
    $$ = name_node(mk_list(ps, N_TY_APPLY, @$, NULL, &$targs), &$n);
  }
| "fixed"[n]            { $$ = mk_token(ps, N_TY_NAME, &$n); }
| FIXED_OF "<" size[i] "," size[f] gt {
    $$ = mk(ps, N_TY_FIXED, @$, 2, $i, $f);
  }
| "[" type[t] ";" exprs "]" { $$ = mk_list(ps, N_TY_ARRAY, @$, $t, &$exprs); }
| "(" ")" {
    node_list none = {0};
    $$ = mk_list(ps, N_TY_TUPLE, @$, NULL, &none);
  }
| "(" type[t] ")"       { $$ = $t; }
| "(" type[t] "," ")"   { $$ = mk(ps, N_TY_TUPLE, @$, 1, $t); }
| "(" type[t] "," types comma_opt ")" {
    $$ = mk_list(ps, N_TY_TUPLE, @$, $t, &$types);
  }
| "secret" type[t]      { $$ = mk(ps, N_TY_SECRET, @$, 1, $t); }
| "public" type[t]      { $$ = mk(ps, N_TY_PUBLIC, @$, 1, $t); }
;

types:
  type                  { $$ = (node_list){0}; list_push(ps, &$$, $type); }
| types[l] "," type     { $$ = $l; list_push(ps, &$$, $type); }
;

/* What stands for generics: types, constants by name, and sizes. */
targs:
  targ                  { $$ = (node_list){0}; list_push(ps, &$$, $targ); }
| targs[l] "," targ     { $$ = $l; list_push(ps, &$$, $targ); }
;

targ:
  type
| "number"[n]           { $$ = mk_token(ps, N_INT, &$n); }
;

tname:
  "name"
| "name"[l] "." "name"[r] { $$ = dotted(ps, &$l, &$r); }
;

size:
  "number"[n]           { $$ = mk_token(ps, N_INT, &$n); }
| "name"[n]             { $$ = mk_token(ps, N_NAME, &$n); }
| "(" expr ")"          { $$ = $expr; }
;

/* ---- statements ---- */

block:
  "{" stmts "}" {
    $$ = mk_list(ps, N_BLOCK, @$, NULL, &$stmts);
    $$->has_value = $stmts.tail;
  }
| "{" stmts[l] sexpr[x] "}" {
    list_push(ps, &$l, mk(ps, N_EXPR, @x, 1, $x));
    $$ = mk_list(ps, N_BLOCK, @$, NULL, &$l);
    $$->has_value = true;
  }
;

stmts:
  %empty                { $$ = (node_list){0}; }
| stmts[l] stmt         { $$ = $l; list_push(ps, &$$, $stmt); $$.tail = false; }
| stmts[l] prefix[x] {
    $$ = $l;
    list_push(ps, &$$, mk(ps, N_EXPR, @x, 1, $x));
    $$.tail = true;
  }
;

stmt:
  "let" pattern otype "=" expr ";" {
    $$ = mk(ps, N_LET, @$, 3, $pattern, $otype, $expr);
  }
| "var" pattern otype "=" expr ";" {
    $$ = mk(ps, N_VAR, @$, 3, $pattern, $otype, $expr);
  }
| sexpr[p] assign_op expr[x] ";" {
    $$ = mk_assign(ps, $assign_op, @$, $p, $x);
  }
| "for" pattern "in" source block {
    $$ = mk(ps, N_FOR, @$, 3, $pattern, $source, $block);
  }
| "while" expr[c] "max" expr[n] block {
    $$ = mk(ps, N_WHILE, @$, 3, $c, $n, $block);
  }
| "emit" "name"[n] "(" args ")" ";" {
    $$ = name_node(mk_list(ps, N_EMIT, @$, NULL, &$args), &$n);
  }
| "return" ";"          { $$ = mk(ps, N_RETURN, @$, 1, (node *)NULL); }
| "return" expr ";"     { $$ = mk(ps, N_RETURN, @$, 1, $expr); }
| sexpr[x] ";"          { $$ = mk(ps, N_EXPR, @$, 1, $x); }
| ";"                   { $$ = NULL; }
| error                 { RESYNC(SYNC_STMT); $$ = mk(ps, N_ERROR, @$, 0); }
;

assign_op:
  "="                   { $$ = O_NONE; }
| "+="                  { $$ = O_ADD; }
| "-="                  { $$ = O_SUB; }
| "*="                  { $$ = O_MUL; }
| "/="                  { $$ = O_DIV; }
| "%="                  { $$ = O_MOD; }
| "&="                  { $$ = O_AND; }
| "|="                  { $$ = O_OR; }
| "^="                  { $$ = O_XOR; }
| "<<="                 { $$ = O_SHL; }
| ">>="                 { $$ = O_SHR; }
;

pattern:
  "name"[n]             { $$ = mk_token(ps, N_NAME, &$n); }
| "(" patterns comma_opt ")" {
    $$ = mk_list(ps, N_TUPLE, @$, NULL, &$patterns);
  }
;

patterns:
  "name"[n] {
    $$ = (node_list){0};
    list_push(ps, &$$, mk_token(ps, N_NAME, &$n));
  }
| patterns[l] "," "name"[n] {
    $$ = $l;
    list_push(ps, &$$, mk_token(ps, N_NAME, &$n));
  }
;

source:
  expr
| expr[a] ".." expr[b]  { $$ = mk(ps, N_RANGE, @$, 2, $a, $b); }
;

sources:
  from                  { $$ = (node_list){0}; list_push(ps, &$$, $from); }
| sources[l] "," from   { $$ = $l; list_push(ps, &$$, $from); }
;

from:
  pattern "in" source   { $$ = mk(ps, N_SOURCE, @$, 2, $pattern, $source); }
;

/* ---- expressions ---- */

/* What begins a statement is an `sexpr`: any expression but one that begins
 * with `if` or a block.  `if c { .. } - 1` is two statements, as in Rust. */
sexpr:
  operand
| "-" expr[x]  %prec UNARY { $$ = mk_unary(ps, O_NEG, @$, $x); }
| "!" expr[x]  %prec UNARY { $$ = mk_unary(ps, O_NOT, @$, $x); }
| "~" expr[x]  %prec UNARY { $$ = mk_unary(ps, O_INVERT, @$, $x); }
| sexpr[l] "*" expr[r]  { $$ = mk_binary(ps, O_MUL, $l, $r); }
| sexpr[l] "/" expr[r]  { $$ = mk_binary(ps, O_DIV, $l, $r); }
| sexpr[l] "%" expr[r]  { $$ = mk_binary(ps, O_MOD, $l, $r); }
| sexpr[l] "@" expr[r]  { $$ = mk_binary(ps, O_MATMUL, $l, $r); }
| sexpr[l] "+" expr[r]  { $$ = mk_binary(ps, O_ADD, $l, $r); }
| sexpr[l] "-" expr[r]  { $$ = mk_binary(ps, O_SUB, $l, $r); }
| sexpr[l] "<<" expr[r] { $$ = mk_binary(ps, O_SHL, $l, $r); }
| sexpr[l] ">>" ">" expr[r] %prec "<<" { $$ = mk_binary(ps, O_SHR, $l, $r); }
| sexpr[l] "&" expr[r]  { $$ = mk_binary(ps, O_AND, $l, $r); }
| sexpr[l] "^" expr[r]  { $$ = mk_binary(ps, O_XOR, $l, $r); }
| sexpr[l] "|" expr[r]  { $$ = mk_binary(ps, O_OR, $l, $r); }
| sexpr[l] "=="[o] expr[r] { $$ = mk_compare(ps, O_EQ, @o, $l, $r); }
| sexpr[l] "!="[o] expr[r] { $$ = mk_compare(ps, O_NE, @o, $l, $r); }
| sexpr[l] "<"[o] expr[r] { $$ = mk_compare(ps, O_LT, @o, $l, $r); }
| sexpr[l] "<="[o] expr[r] { $$ = mk_compare(ps, O_LE, @o, $l, $r); }
| sexpr[l] ">"[o] expr[r] { $$ = mk_compare(ps, O_GT, @o, $l, $r); }
| sexpr[l] ">="[o] expr[r] { $$ = mk_compare(ps, O_GE, @o, $l, $r); }
| sexpr[l] "&&" expr[r] { $$ = mk_binary(ps, O_ANDAND, $l, $r); }
| sexpr[l] "||" expr[r] { $$ = mk_binary(ps, O_OROR, $l, $r); }
;

expr:
  operand
| prefix
| "-" expr[x]  %prec UNARY { $$ = mk_unary(ps, O_NEG, @$, $x); }
| "!" expr[x]  %prec UNARY { $$ = mk_unary(ps, O_NOT, @$, $x); }
| "~" expr[x]  %prec UNARY { $$ = mk_unary(ps, O_INVERT, @$, $x); }
| expr[l] "*" expr[r]   { $$ = mk_binary(ps, O_MUL, $l, $r); }
| expr[l] "/" expr[r]   { $$ = mk_binary(ps, O_DIV, $l, $r); }
| expr[l] "%" expr[r]   { $$ = mk_binary(ps, O_MOD, $l, $r); }
| expr[l] "@" expr[r]   { $$ = mk_binary(ps, O_MATMUL, $l, $r); }
| expr[l] "+" expr[r]   { $$ = mk_binary(ps, O_ADD, $l, $r); }
| expr[l] "-" expr[r]   { $$ = mk_binary(ps, O_SUB, $l, $r); }
| expr[l] "<<" expr[r]  { $$ = mk_binary(ps, O_SHL, $l, $r); }
| expr[l] ">>" ">" expr[r] %prec "<<" { $$ = mk_binary(ps, O_SHR, $l, $r); }
| expr[l] "&" expr[r]   { $$ = mk_binary(ps, O_AND, $l, $r); }
| expr[l] "^" expr[r]   { $$ = mk_binary(ps, O_XOR, $l, $r); }
| expr[l] "|" expr[r]   { $$ = mk_binary(ps, O_OR, $l, $r); }
| expr[l] "=="[o] expr[r] { $$ = mk_compare(ps, O_EQ, @o, $l, $r); }
| expr[l] "!="[o] expr[r] { $$ = mk_compare(ps, O_NE, @o, $l, $r); }
| expr[l] "<"[o] expr[r] { $$ = mk_compare(ps, O_LT, @o, $l, $r); }
| expr[l] "<="[o] expr[r] { $$ = mk_compare(ps, O_LE, @o, $l, $r); }
| expr[l] ">"[o] expr[r] { $$ = mk_compare(ps, O_GT, @o, $l, $r); }
| expr[l] ">="[o] expr[r] { $$ = mk_compare(ps, O_GE, @o, $l, $r); }
| expr[l] "&&" expr[r]  { $$ = mk_binary(ps, O_ANDAND, $l, $r); }
| expr[l] "||" expr[r]  { $$ = mk_binary(ps, O_OROR, $l, $r); }
;

prefix:
  if
| block
;

if:
  "if" expr[c] block[t] { $$ = mk(ps, N_IF, @$, 3, $c, $t, (node *)NULL); }
| "if" expr[c] block[t] "else" block[e] {
    $$ = mk(ps, N_IF, @$, 3, $c, $t, $e);
  }
| "if" expr[c] block[t] "else" if[e] {
    $$ = mk(ps, N_IF, @$, 3, $c, $t, $e);
  }
;

operand:
  primary
| operand[f] "(" args ")" { $$ = mk_list(ps, N_CALL, @$, $f, &$args); }
| operand[a] "[" indices comma_opt "]" {
    $$ = mk_list(ps, N_INDEX, @$, $a, &$indices);
  }
| operand[o] "." "name"[n] {
    $$ = name_node(mk(ps, N_FIELD, @$, 1, $o), &$n);
  }
| operand[o] "." "number"[n] {
    $$ = name_node(mk(ps, N_FIELD, @$, 1, $o), &$n);
  }
| operand[n] LIT_LBRACE fields comma_opt "}" {
    $$ = mk_struct_literal(ps, @$, $n, &$fields);
  }
;

primary:
  "number"[t]           { $$ = mk_token(ps, N_INT, &$t); }
| "decimal"[t]          { $$ = mk_token(ps, N_DECIMAL, &$t); }
| "string"[t]           { $$ = mk_token(ps, N_STRING, &$t); }
| "true"                { $$ = mk(ps, N_BOOL, @$, 0); $$->op = 1; }
| "false"               { $$ = mk(ps, N_BOOL, @$, 0); }
| "name"[t]             { $$ = mk_token(ps, N_NAME, &$t); }
| "fixed"[t]            { $$ = mk_token(ps, N_NAME, &$t); }
| "caller"[t]           { $$ = mk_token(ps, N_NAME, &$t); }
| FIXED_OF "<" size[i] "," size[f] gt {
    $$ = mk(ps, N_TY_FIXED, @$, 2, $i, $f);
  }
| "(" ")" {
    node_list none = {0};
    $$ = mk_list(ps, N_TUPLE, @$, NULL, &none);
  }
| "(" expr[x] ")"       { $$ = $x; $$->row = false; }
| "(" expr[x] "," ")"   { $$ = mk(ps, N_TUPLE, @$, 1, $x); }
| "(" expr[x] "," exprs comma_opt ")" {
    $$ = mk_list(ps, N_TUPLE, @$, $x, &$exprs);
  }
| "[" "]" {
    node_list none = {0};
    $$ = mk_list(ps, N_ARRAY, @$, NULL, &none);
  }
| "[" exprs comma_opt "]" { $$ = mk_list(ps, N_ARRAY, @$, NULL, &$exprs); }
| "[" expr[x] ";" exprs "]" { $$ = mk_list(ps, N_REPEAT, @$, $x, &$exprs); }
| "[" expr[x] "for" sources "]" {
    $$ = mk_list(ps, N_COMPR, @$, $x, &$sources);
  }
;

exprs:
  expr                  { $$ = (node_list){0}; list_push(ps, &$$, $expr); }
| exprs[l] "," expr     { $$ = $l; list_push(ps, &$$, $expr); }
;

args:
  %empty                { $$ = (node_list){0}; }
| args1 comma_opt
;

args1:
  arg                   { $$ = (node_list){0}; list_push(ps, &$$, $arg); }
| args1[l] "," arg      { $$ = $l; list_push(ps, &$$, $arg); }
;

arg:
  expr
| "name"[n] ":" expr    { $$ = name_node(mk(ps, N_NAMED, @$, 1, $expr), &$n); }
| "secret" type[t]      { $$ = mk(ps, N_TY_SECRET, @$, 1, $t); }
| "public" type[t]      { $$ = mk(ps, N_TY_PUBLIC, @$, 1, $t); }
;

fields:
  field                 { $$ = (node_list){0}; list_push(ps, &$$, $field); }
| fields[l] "," field   { $$ = $l; list_push(ps, &$$, $field); }
;

field:
  "name"[n] ":" expr    { $$ = name_node(mk(ps, N_NAMED, @$, 1, $expr), &$n); }
;

indices:
  index                 { $$ = (node_list){0}; list_push(ps, &$$, $index); }
| indices[l] "," index  { $$ = $l; list_push(ps, &$$, $index); }
;

index:
  expr
| expr[a] ".." expr[b]  { $$ = mk(ps, N_RANGE, @$, 2, $a, $b); }
| expr[a] ".."          { $$ = mk(ps, N_RANGE, @$, 2, $a, (node *)NULL); }
| ".." expr[b]          { $$ = mk(ps, N_RANGE, @$, 2, (node *)NULL, $b); }
| ".."                  {
    $$ = mk(ps, N_RANGE, @$, 2, (node *)NULL, (node *)NULL);
  }
;

%%

static int chi_yylex(CHI_YYSTYPE *val, span *sp, parser *ps) {
  val->tok = feed_next(ps);
  *sp = val->tok.sp;
  return val->tok.kind;
}

/* With custom errors, bison calls this only when its stack is full. */
static void chi_yyerror(span *sp, parser *ps, const char *msg) {
  (void)msg;
  nesting_report(ps, *sp);
}

static const short symbol_token[YYNTOKENS] = {
#define TOKEN(NAME, SPELLING, CLASS) [YYSYMBOL_##NAME] = TOK_##NAME,
#include "grammar/tokens.def"
#undef TOKEN
    [YYSYMBOL_IDENT] = TOK_IDENT,           [YYSYMBOL_INT] = TOK_INT,
    [YYSYMBOL_DECIMAL] = TOK_DECIMAL,       [YYSYMBOL_STRING] = TOK_STRING,
    [YYSYMBOL_MAX] = TOK_MAX,               [YYSYMBOL_FIXED_OF] = TOK_FIXED_OF,
    [YYSYMBOL_LIT_LBRACE] = TOK_LIT_LBRACE, [YYSYMBOL_GT_ADJ] = TOK_GT_ADJ,
};

static int yyreport_syntax_error(const yypcontext_t *cx, parser *ps) {
  if (!parser_may_report(ps)) return 0;
  yysymbol_kind_t sym[YYNTOKENS];
  int expected[YYNTOKENS];
  int n = yypcontext_expected_tokens(cx, sym, YYNTOKENS);
  if (n < 0) return n;
  for (int i = 0; i < n; i++) expected[i] = symbol_token[sym[i]];
  syntax_report(ps, &ps->past[0], expected, n);
  return 0;
}
